//! Who may reach page, API and metrics, and what each role may do beyond seeing.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// What somebody is trusted with. Everybody sees; `admin` may do all that the others may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees.
    Viewer,
    /// Edits zones and rules.
    Analyst,
    /// Answers alerts and handles sinks.
    Operator,
    /// Manages users, sources and policy.
    Admin,
}

/// Networks; a single address is one too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(pub Vec<IpNet>);

/// PEM files of this server's own certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Chain, the server's own certificate first.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Who may reach page, API and metrics, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Serves HTTPS instead of HTTP.
    pub tls: Option<Tls>,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed; empty without a proxy.
    pub behind_proxy: Networks,
    /// From here `/metrics` needs no login.
    pub metrics_from: Networks,
    /// Roles that may see pictures that are not redacted.
    pub plain: Vec<Role>,
}

impl Role {
    /// From the least trusted to the most.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Analyst, Self::Operator, Self::Admin];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.word() == text);
        found.ok_or_else(|| format!("`{text}` is not one of viewer, analyst, operator, admin"))
    }
}

impl Networks {
    /// Loopback, of both families.
    pub fn loopback() -> Self {
        let whole = |address: [u8; 4], prefix| IpNet::new(IpAddr::from(address), prefix).ok();
        let v6 = IpNet::from(IpAddr::from(std::net::Ipv6Addr::LOCALHOST));
        Self(whole([127, 0, 0, 0], 8).into_iter().chain([v6]).collect())
    }

    /// Whether an address is in one of them; an IPv4 address in an IPv6 one counts as what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl Default for Access {
    fn default() -> Self {
        Self { tls: None, behind_proxy: Networks::default(), metrics_from: Networks::loopback(), plain: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_a_network_in_whichever_way_it_is_written() {
        let loopback = Networks::loopback();
        for (address, inside) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.1", false),
            ("::2", false),
        ] {
            assert_eq!(loopback.contains(address.parse().unwrap()), inside, "{address}");
        }
        assert!(!Networks::default().contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn roles_are_written_as_they_are_read() {
        for role in Role::ALL {
            assert_eq!(role.word().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.word());
        }
        assert!("root".parse::<Role>().unwrap_err().contains("`root` is not one of viewer"));
    }
}
