//! What is built into Lookout against `deny.toml`: licences, versions, sources. Without a network: what cargo has is asked.

mod licence;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;

use serde::Deserialize;

use crate::support::command::root;
use licence::{Expression, parse};

#[derive(Deserialize)]
struct Rules {
    licenses: Licences,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    skip: Vec<Skip>,
}

#[derive(Deserialize)]
struct Skip {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Clone, Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// `None`: Lookout itself.
    source: Option<String>,
}

impl Package {
    fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

fn rules() -> Rules {
    toml::from_str(&std::fs::read_to_string(root().join("deny.toml")).unwrap()).unwrap()
}

/// All that is compiled on this kind of machine.
fn packages() -> Vec<Package> {
    let said = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let said = String::from_utf8(said).unwrap();
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform", host]);
    let done = cargo.current_dir(root()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let metadata: Metadata = serde_json::from_slice(&done.stdout).unwrap();
    assert!(metadata.packages.len() > 200, "{}", metadata.packages.len());
    metadata.packages
}

/// Everything that is wrong with these packages by these rules, one a line.
fn faults(rules: &Rules, packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    let allowed: BTreeSet<&str> = rules.licenses.allow.iter().map(String::as_str).collect();
    for package in packages {
        let expression = package.license.as_deref().and_then(parse);
        match expression {
            Some(expression) if expression.holds(&|licence| allowed.contains(licence)) => {}
            _ => faults.push(format!("{}: licence {:?}", package.id(), package.license)),
        }
        let from = |source: &String| source.strip_prefix("registry+").map(str::to_owned);
        if package.source.as_ref().is_some_and(|s| from(s).is_none_or(|s| !rules.sources.allow_registry.contains(&s))) {
            faults.push(format!("{}: source {:?}", package.id(), package.source));
        }
    }
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    let skipped: BTreeSet<&str> = rules.bans.skip.iter().map(|skip| skip.name.as_str()).collect();
    for (name, versions) in versions {
        let counted: Vec<String> = versions.iter().map(|version| format!("{name}@{version}")).collect();
        let rest: Vec<&String> = counted.iter().filter(|id| !skipped.contains(id.as_str())).collect();
        if rest.len() > 1 {
            faults.push(format!("{name}: several versions: {rest:?}"));
        }
    }
    // A licence or a version that nothing needs is a door left open.
    let known: BTreeSet<String> = packages.iter().map(Package::id).collect();
    for skip in &rules.bans.skip {
        assert!(!skip.reason.is_empty(), "{}", skip.name);
        let name = skip.name.split('@').next().unwrap_or_default();
        let versions = packages.iter().filter(|package| package.name == name).count();
        if !known.contains(&skip.name) || versions < 2 {
            faults.push(format!("{}: skipped and not needed", skip.name));
        }
    }
    let mut used = BTreeSet::new();
    packages.iter().filter_map(|p| parse(p.license.as_deref()?)).for_each(|e| e.names(&mut used));
    faults.extend(
        allowed.iter().filter(|licence| !used.contains(**licence)).map(|l| format!("{l}: allowed, not needed")),
    );
    faults
}

#[test]
fn what_is_built_in_keeps_to_the_rules() {
    assert_eq!(faults(&rules(), &packages()), Vec::<String>::new());
}

#[test]
fn what_does_not_is_found() {
    let (rules, packages) = (rules(), packages());
    let with = |license: Option<&str>, source: &str| {
        let [name, version] = ["stranger", "1.0.0"].map(str::to_owned);
        let (license, source) = (license.map(str::to_owned), Some(source.to_owned()));
        let mut more = packages.clone();
        more.push(Package { name, version, license, source });
        faults(&rules, &more)
    };
    let registry = "registry+https://github.com/rust-lang/crates.io-index";
    assert_eq!(with(Some("MIT OR AGPL-3.0-only"), registry), Vec::<String>::new());
    assert_eq!(with(Some("MIT AND AGPL-3.0-only"), registry).len(), 1);
    assert_eq!(with(None, registry).len(), 1);
    assert_eq!(with(Some("MIT"), "git+https://github.com/stranger/stranger#1").len(), 1);
    let mut twice = packages.clone();
    let serde = packages.iter().find(|p| p.name == "serde").unwrap().clone();
    twice.push(Package { version: "0.9.0".into(), ..serde });
    assert_eq!(faults(&rules, &twice).len(), 1);
    let mut fewer = packages;
    fewer.retain(|p| p.id() != rules.bans.skip[0].name);
    assert!(!faults(&rules, &fewer).is_empty(), "what is skipped must be there");
}

#[test]
fn expressions_are_read_as_spdx_has_them() {
    let holds =
        |text: &str, allowed: &[&str]| parse(text).is_some_and(|e: Expression| e.holds(&|l| allowed.contains(&l)));
    assert!(holds("MIT OR Apache-2.0", &["MIT"]) && holds("MIT/Apache-2.0", &["Apache-2.0"]));
    assert!(!holds("MIT AND IJG", &["MIT"]) && holds("MIT AND IJG", &["MIT", "IJG"]));
    // AND binds more than OR.
    assert!(holds("MIT OR ISC AND IJG", &["MIT"]) && !holds("(MIT OR ISC) AND IJG", &["MIT"]));
    assert!(!holds("Apache-2.0 WITH LLVM-exception", &["Apache-2.0"]));
    assert!(holds("Apache-2.0 WITH LLVM-exception", &["Apache-2.0 WITH LLVM-exception"]));
    assert!(["", "MIT OR", "MIT ISC", "(MIT", "OR MIT", "MIT WITH"].iter().all(|text| parse(text).is_none()));
}

/// Knows something about one package, as OSV would, and says so on the second page of its answer.
fn advisories(known: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut request, mut buffer) = (Vec::new(), [0; 65_536]);
            let asked = loop {
                let length = stream.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..length]);
                let text = String::from_utf8_lossy(&request);
                let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
                // Whole once it can be read.
                if let Some(asked) = body.and_then(|body| serde_json::from_str::<serde_json::Value>(body).ok()) {
                    break asked;
                }
            };
            let answer = |query: &serde_json::Value| match (query["package"]["name"] == known, &query["page_token"]) {
                (true, serde_json::Value::Null) => serde_json::json!({ "next_page_token": "second" }),
                (true, token) if token == "second" => serde_json::json!({ "vulns": [{ "id": "RUSTSEC-2026-0000" }] }),
                _ => serde_json::json!({}),
            };
            let results: Vec<_> = asked["queries"].as_array().unwrap().iter().map(answer).collect();
            let body = serde_json::json!({ "results": results }).to_string();
            let length = body.len();
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        }
    });
    address
}

#[test]
fn the_audit_says_what_is_known_and_when_it_cannot_ask() {
    let audit = |server: SocketAddr| {
        let mut command = Command::new(root().join("scripts/audit"));
        let done = command.env("LOOKOUT_OSV", format!("http://{server}")).output().unwrap();
        let [out, err] = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (done.status.code(), out, err)
    };
    let (code, out, err) = audit(advisories("ring"));
    assert_eq!(code, Some(1), "{err}");
    assert!(out.starts_with("crates.io ring 0.") && out.contains("https://osv.dev/RUSTSEC-2026-0000"), "{out}");
    let (code, out, err) = audit(advisories("nothing of that name"));
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    assert!(err.ends_with(" packages, 0 with known vulnerabilities\n"), "{err}");
    let (code, _, err) = audit("127.0.0.1:9".parse().unwrap());
    assert!(code == Some(3) && err.contains("the network is needed"), "{err}");
}
