//! Keys about logins, certificates and networks to their checked plan.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;

use super::fault::Report;
use super::field::Field;
use super::plan::{Access, Networks, Tls};
use super::raw::{PrivacyRaw, Table, TlsRaw};

/// The keys of the site file that belong here.
pub struct AccessKeys {
    pub tls: Option<Table<TlsRaw>>,
    pub behind_proxy: Field<Vec<String>>,
    pub metrics_from: Field<Vec<String>>,
    pub privacy: Option<Table<PrivacyRaw>>,
}

pub fn build(keys: AccessKeys, base: &Path, report: &mut Report<'_>) -> Access {
    let standard = Access::default();
    let metrics_from = networks(keys.metrics_from, "metrics_from", report).unwrap_or(standard.metrics_from);
    let behind_proxy = networks(keys.behind_proxy, "behind_proxy", report).unwrap_or_default();
    let plain = keys.privacy.and_then(|table| table.into_inner().plain.get(report, "privacy.plain"));
    Access { tls: tls(keys.tls, base, report), behind_proxy, metrics_from, plain: plain.unwrap_or_default() }
}

fn tls(table: Option<Table<TlsRaw>>, base: &Path, report: &mut Report<'_>) -> Option<Tls> {
    let table = table?;
    let at = table.span();
    let raw = table.into_inner();
    let cert = raw.cert.require(report, "tls.cert", &at, "the file of the certificate");
    let key = raw.key.require(report, "tls.key", &at, "the file of its private key");
    Some(Tls { cert: base.join(cert?), key: base.join(key?) })
}

fn networks(field: Field<Vec<String>>, path: &str, report: &mut Report<'_>) -> Option<Networks> {
    let at = field.span().clone();
    let texts = field.get(report, path)?;
    let mut found = Vec::new();
    for (i, text) in texts.iter().enumerate() {
        match network(text) {
            Ok(network) => found.push(network),
            Err(message) => report.fault(&at, format!("{path}[{i}]"), message),
        }
    }
    Some(Networks(found))
}

/// `10.0.0.0/8`, `fd00::/8`, or a single address.
fn network(text: &str) -> Result<IpNet, String> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| format!("`{text}` is not a network such as 10.0.0.0/8"))?,
    };
    if network.addr() == network.network() {
        Ok(network)
    } else {
        Err(format!("`{text}` has bits beyond its prefix; the network is {}", network.trunc()))
    }
}
