//! Which addresses lie outside: a receiver's name that leads inside would make Lookout knock on its neighbours' doors.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one of the public Internet: not private, loopback, link-local, shared, reserved or multicast,
/// also when an IPv6 address only wraps such an IPv4 one. Source: the IANA special-purpose address registries.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => wrapped(v6).map_or_else(|| is_public_v6(v6), is_public_v4),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = (a, b, c) == (192, 0, 0);
    let benchmark = a == 198 && (18..20).contains(&b);
    !(a == 0
        || a >= 224
        || shared
        || protocol
        || benchmark
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Global unicast, without documentation.
    (first & 0xe000) == 0x2000 && (first, second) != (0x2001, 0x0db8)
}

/// The IPv4 address inside: mapped, compatible, NAT64 or 6to4.
fn wrapped(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_outside_is_public() {
        let inside = "0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.9.9.9 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 \
             192.168.1.1 198.18.0.1 192.0.2.7 224.0.0.1 240.0.0.1 255.255.255.255 :: ::1 fe80::1 fc00::1 fd12::1 ff02::1 \
             ::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::a00:1 2002:7f00:1::1 2001:db8::1";
        let outside = "1.1.1.1 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 198.20.0.1 223.255.255.255 \
             2606:4700::1111 ::ffff:1.1.1.1 64:ff9b::101:101 2002:101:101::1 2001:4860:4860::8888";
        for (text, public) in [(inside, false), (outside, true)] {
            for address in text.split_whitespace() {
                assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
            }
        }
    }
}
