//! The address guard: which addresses the internet may make us connect to. A name that a remote host chose must not lead
//! into the network that we run in (IANA special-purpose registries, RFC 6890). Knows nothing of names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::model::Obstacle;

/// Permits global unicast addresses, and special ones where the settings say so.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    allowed: Vec<IpNet>,
}

impl Guard {
    pub(super) fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Keeps the permitted addresses of a host, in their order.
    ///
    /// # Errors
    /// [`Obstacle::ForbiddenAddress`] with the first address where none is permitted.
    pub(super) fn admit(&self, addresses: &[IpAddr]) -> Result<Vec<IpAddr>, Obstacle> {
        let permitted: Vec<IpAddr> = addresses.iter().copied().filter(|address| self.permits(*address)).collect();
        match (permitted.is_empty(), addresses.first()) {
            (false, _) => Ok(permitted),
            (true, Some(first)) => Err(Obstacle::ForbiddenAddress { address: first.to_string() }),
            (true, None) => Err(Obstacle::NoData),
        }
    }

    pub(super) fn permits(&self, address: IpAddr) -> bool {
        let embedded = match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => embedded_v4(address),
        };
        let judged = embedded.map_or(address, IpAddr::V4);
        self.allowed.iter().any(|network| network.contains(&address) || network.contains(&judged)) || !is_special(judged)
    }
}

fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => SPECIAL_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => !GLOBAL_V6.contains(&address) || SPECIAL_V6.iter().any(|network| network.contains(&address)),
    }
}

/// The IPv4 address that a packet to this one would reach in the end: mapped, translated, compatible, NAT64 and 6to4.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [first, second, third, .., low, lowest] = address.segments();
    if matches!(address, Ipv6Addr::UNSPECIFIED | Ipv6Addr::LOCALHOST) {
        return None;
    }
    if EMBEDDED_LOW.iter().any(|network| network.contains(&address)) {
        return Some(join(low, lowest));
    }
    (first == SIX_TO_FOUR).then(|| join(second, third))
}

fn join(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low))
}

const fn v4(a: u8, b: u8, c: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), length)
}

const fn v6(first: u16, second: u16, third: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0), length)
}

const SPECIAL_V4: [Ipv4Net; 16] = [
    v4(0, 0, 0, 8),       // this network (RFC 791)
    v4(10, 0, 0, 8),      // private (RFC 1918)
    v4(100, 64, 0, 10),   // carrier-grade NAT (RFC 6598)
    v4(127, 0, 0, 8),     // loopback
    AZURE_HOST,           // public, and yet the machine's own host
    v4(169, 254, 0, 16),  // link-local, cloud metadata (RFC 3927)
    v4(172, 16, 0, 12),   // private
    v4(192, 0, 0, 24),    // IETF protocol assignments (RFC 6890)
    v4(192, 0, 2, 24),    // documentation (RFC 5737)
    v4(192, 88, 99, 24),  // 6to4 relays, deprecated (RFC 7526)
    v4(192, 168, 0, 16),  // private
    v4(198, 18, 0, 15),   // benchmarks (RFC 2544)
    v4(198, 51, 100, 24), // documentation
    v4(203, 0, 113, 24),  // documentation
    v4(224, 0, 0, 4),     // multicast
    v4(240, 0, 0, 4),     // reserved, broadcast
];

/// All that IANA gives out as global unicast (RFC 4291 section 2.4); what is beside it is special, or has no use yet.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// Special networks inside [`GLOBAL_V6`].
const SPECIAL_V6: [Ipv6Net; 3] = [
    v6(0x2001, 0, 0, 23),     // IETF protocol assignments: Teredo, ORCHID, benchmarks (RFC 2928)
    v6(0x2001, 0xdb8, 0, 32), // documentation (RFC 3849)
    v6(0x3fff, 0, 0, 20),     // documentation (RFC 9637)
];

/// Prefixes with an IPv4 address in the last 32 bits.
const EMBEDDED_LOW: [Ipv6Net; 4] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), // mapped (RFC 4291 section 2.5.5.2)
    Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96), // translated (RFC 2765 section 2.1)
    v6(0, 0, 0, 96),                                                     // compatible (RFC 4291 section 2.5.5.1)
    v6(0x64, 0xff9b, 0, 96),                                             // NAT64 (RFC 6052)
];

/// Azure's channel from a machine to its host (Microsoft Learn, "What is IP address 168.63.129.16?").
const AZURE_HOST: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(168, 63, 129, 16), 32);

const SIX_TO_FOUR: u16 = 0x2002; // RFC 3056

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn special_addresses_are_refused() {
        let guard = Guard::new(Vec::new());
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "100::1",
            "64:ff9b:1::808:808",
            "2001::1",
            "3fff::1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "::ffff:169.254.169.254",
            "::10.0.0.1",
            "::2",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "2002:7f00:1::1",
            "2002:c0a8:101::1",
            "::ffff:0:127.0.0.1",
            "::ffff:0:169.254.169.254",
            "::ffff:168.63.129.16",
            "64:ff9b:2::1",
            "200::1",
            "1fff:ffff::1",
            "4000::1",
            "5f00::1",
            "::fffe:8.8.8.8",
        ] {
            assert!(!guard.permits(ip(text)), "{text}");
        }
    }

    #[test]
    fn global_addresses_are_permitted_also_inside_a_translation() {
        let guard = Guard::new(Vec::new());
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "168.63.129.15",
            "168.63.129.17",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2603:1046::1",
            "2001:4860:4860::8888",
            "2a01:111:f400::1",
            "::ffff:8.8.8.8",
            "::ffff:0:8.8.8.8",
            "2000::1",
            "3ffe:ffff::1",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert!(guard.permits(ip(text)), "{text}");
        }
    }

    #[test]
    fn allowed_networks_open_exactly_themselves() {
        let guard = Guard::new(vec!["10.1.0.0/16".parse().unwrap(), "fd00:1::/32".parse().unwrap()]);
        for (text, permitted) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("fd00:1::5", true),
            ("10.2.0.1", false),
            ("fd00:2::5", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(guard.permits(ip(text)), permitted, "{text}");
        }
    }

    #[test]
    fn a_mixed_answer_keeps_only_what_is_permitted_and_names_the_first_where_nothing_is() {
        let guard = Guard::new(Vec::new());
        assert_eq!(guard.admit(&[ip("10.0.0.1"), ip("1.1.1.1"), ip("::1")]), Ok(vec![ip("1.1.1.1")]));
        let refused = Err(Obstacle::ForbiddenAddress { address: "10.0.0.1".into() });
        assert_eq!(guard.admit(&[ip("10.0.0.1"), ip("::1")]), refused);
    }
}
