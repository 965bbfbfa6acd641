//! The bare loop: the same HTTP client, the same requests, nothing else.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{
    Client, Method,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::{sync::Semaphore, task::JoinSet};

/// Every name is one address.
struct Fixed(SocketAddr);

impl Resolve for Fixed {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(std::iter::once(self.0));
        Box::pin(async move { Ok(addresses) })
    }
}

/// Arguments: the requests, the CA, the address for http and for https. Prints requests a second.
pub(super) fn run(arguments: &[String]) {
    let [script, authority, http, https] = arguments else { panic!("four arguments") };
    let requests: Vec<(Method, String, usize)> = fs::read_to_string(script).unwrap().lines().map(read).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let rate = runtime.block_on(async {
        let clients = [client(http, Path::new(authority)), client(https, Path::new(authority))];
        let (permits, mut tasks) = (Arc::new(Semaphore::new(64)), JoinSet::new());
        let count = requests.len();
        let began = Instant::now();
        for (method, url, length) in requests {
            let client = clients[usize::from(url.starts_with("https"))].clone();
            let permit = permits.clone().acquire_owned().await.unwrap();
            tasks.spawn(async move {
                let request = client.request(method, &url).body("x".repeat(length));
                // a refused certificate is an answer here as it is for the program
                if let Ok(answer) = request.send().await {
                    answer.bytes().await.unwrap();
                }
                drop(permit);
            });
        }
        while tasks.join_next().await.is_some() {}
        f64::from(u32::try_from(count).unwrap()) / began.elapsed().as_secs_f64()
    });
    println!("{rate}");
}

fn read(line: &str) -> (Method, String, usize) {
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap();
    (word().parse().unwrap(), word().to_owned(), word().parse().unwrap())
}

#[expect(clippy::disallowed_methods, reason = "the peer that the program is measured by")]
fn client(address: &str, authority: &Path) -> Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let authority = reqwest::Certificate::from_pem_bundle(&fs::read(authority).unwrap()).unwrap();
    Client::builder()
        .dns_resolver(Fixed(address.parse().unwrap()))
        .tls_certs_merge(authority)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .timeout(Duration::from_secs(10))
        .no_proxy()
        .build()
        .unwrap()
}
