//! Where a request comes from: the other end of the connection, or whom a trusted proxy names.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};

use super::store::audit::Entry;
use crate::config::plan::Networks;

/// Headers by which a proxy gives itself away.
const FORWARDED: [&str; 3] = ["x-forwarded-for", "forwarded", "via"];

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    /// The client; `None` behind a proxy that is not trusted or does not say.
    pub client: Option<IpAddr>,
    /// The other end of the connection.
    pub link: IpAddr,
    /// Whether the client speaks HTTPS, to us or to a trusted proxy.
    pub https: bool,
}

impl Peer {
    /// Of a connection and the headers of a request on it.
    pub(super) fn new(link: IpAddr, headers: &HeaderMap, proxies: &Networks, tls: bool) -> Self {
        let link = link.to_canonical();
        if !proxies.contains(link) {
            let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
            return Self { client: (!is_forwarded).then_some(link), link, https: tls };
        }
        // The nearest first: what stands before the first address that is no trusted proxy may be made up.
        let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let named: Vec<Option<IpAddr>> = values.flat_map(|value| value.split(',')).map(parse).collect();
        let client = named.into_iter().rev().find(|a| a.is_none_or(|a| !proxies.contains(a))).flatten();
        let scheme = headers.get_all("x-forwarded-proto").iter().next_back().and_then(|value| value.to_str().ok());
        let https =
            scheme.and_then(|list| list.rsplit(',').next()).is_some_and(|s| s.trim().eq_ignore_ascii_case("https"));
        Self { client, link, https: tls || https }
    }

    /// Whose tries are counted together: an address, or an IPv6 network that one customer has.
    pub(super) fn counted(&self) -> IpAddr {
        match self.client.unwrap_or(self.link) {
            IpAddr::V6(v6) => {
                let network = v6.to_bits() & !u128::from(u64::MAX);
                IpAddr::V6(network.into())
            }
            v4 => v4,
        }
    }

    /// An audit entry of something that came from here.
    pub(super) fn entry(&self, who: &str, what: &'static str) -> Entry {
        Entry { from: Some(self.client.unwrap_or(self.link)), ..Entry::new(who, what) }
    }
}

/// An address, as some proxies with a port.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// The value of a cookie, if the request has it.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(link: &str, headers: &[(&'static str, &str)]) -> Peer {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let proxies = Networks(vec!["10.0.0.0/8".parse().unwrap()]);
        Peer::new(link.parse().unwrap(), &headers, &proxies, false)
    }

    fn client(link: &str, forwarded: &str) -> Option<String> {
        peer(link, &[("x-forwarded-for", forwarded)]).client.map(|a| a.to_string())
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(peer("192.0.2.1", &[]).client, Some("192.0.2.1".parse().unwrap()));
        assert_eq!(client("192.0.2.1", "127.0.0.1"), None, "somebody's proxy, or a lie");
        assert_eq!(peer("10.0.0.1", &[]).client, None, "it does not say");
        assert_eq!(client("10.0.0.1", "198.51.100.7").as_deref(), Some("198.51.100.7"));
        assert_eq!(client("::ffff:10.0.0.1", "198.51.100.7:4711").as_deref(), Some("198.51.100.7"));
        assert_eq!(client("10.0.0.1", "127.0.0.1, 198.51.100.7, 10.0.0.2").as_deref(), Some("198.51.100.7"));
        assert_eq!(client("10.0.0.1", "198.51.100.7, nonsense"), None);
        assert_eq!(client("10.0.0.1", "[2001:db8::1]:80").as_deref(), Some("2001:db8::1"));
    }

    #[test]
    fn https_is_what_the_nearest_proxy_says() {
        let https = |link, proto: &str| peer(link, &[("x-forwarded-proto", proto)]).https;
        assert!(https("10.0.0.1", "https") && https("10.0.0.1", "http, HTTPS"));
        assert!(!https("10.0.0.1", "https, http") && !https("192.0.2.1", "https"));
    }

    #[test]
    fn a_customer_counts_once() {
        let counted = |link: &str| peer(link, &[]).counted().to_string();
        assert_eq!(counted("192.0.2.1"), "192.0.2.1");
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let headers = |value: &str| HeaderMap::from_iter([(header::COOKIE, value.parse().unwrap())]);
        assert_eq!(cookie(&headers("a=1; lookout_session=x=; b=2"), "lookout_session"), Some("x="));
        assert_eq!(cookie(&headers("xlookout_session=1"), "lookout_session"), None);
    }
}
