//! The proxies of the environment. `reqwest` reads the usual variables itself; this names the proxies' hosts, which may be
//! private, so that the guard lets us reach them. The only place that reads the environment.

use url::Url;

use crate::model::normalise_host;

/// The proxies that stand between us and the web.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxies {
    hosts: Vec<String>,
}

impl Proxies {
    /// The proxies that the environment names.
    pub(super) fn from_environment() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the proxy variables are a convention of the platform, not settings of ours")]
        Self::from_values(VARIABLES.iter().filter_map(|name| std::env::var(name).ok()))
    }

    pub(super) fn from_values(values: impl Iterator<Item = String>) -> Self {
        Self { hosts: values.filter_map(|value| host_of(&value)).collect() }
    }

    /// Whether there is one: then names may resolve only there, and are not resolved here beforehand.
    pub(super) fn any(&self) -> bool {
        !self.hosts.is_empty()
    }

    pub(super) fn contains(&self, host: &str) -> bool {
        self.hosts.iter().any(|proxy| proxy == host)
    }
}

fn host_of(value: &str) -> Option<String> {
    let value = value.trim();
    let url = if value.contains("://") { Url::parse(value) } else { Url::parse(&format!("http://{value}")) };
    url.ok()?.host_str().map(normalise_host)
}

const VARIABLES: [&str; 6] = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxys_host_is_read_with_and_without_a_scheme() {
        for (value, host) in [
            ("http://user:secret@Proxy.contoso.com:3128/", Some("proxy.contoso.com")),
            ("proxy.contoso.com:3128", Some("proxy.contoso.com")),
            ("socks5h://10.0.0.9:1080", Some("10.0.0.9")),
            ("", None),
        ] {
            let proxies = Proxies::from_values(std::iter::once(value.to_owned()));
            assert_eq!(proxies.hosts.first().map(String::as_str), host, "{value}");
            assert_eq!(proxies.any(), host.is_some(), "{value}");
        }
    }
}
