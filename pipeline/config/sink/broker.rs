//! What kinds of sinks behind a broker share: where it is, how to log in, how a topic is written.

use url::{Host, Url};

use super::Form;
use crate::config::field::Field;
use crate::config::plan::Broker;
use crate::config::raw::SinkRaw;
use crate::config::template::Template;

/// A way to speak with a broker: the scheme of its address without and with TLS, each with its usual port.
pub type Schemes = [(&'static str, u16); 2];

/// Takes `url`, `ca`, `username` and `password`. `None` where the address is missing or wrong; the report says so.
pub fn broker(raw: &mut SinkRaw, schemes: Schemes, form: &mut Form<'_, '_>) -> Option<Broker> {
    let address = address(std::mem::take(&mut raw.url), schemes, form);
    let (ca_at, username_at, password_at) = (raw.ca.place(), raw.username.place(), raw.password.place());
    let ca = form.file(std::mem::take(&mut raw.ca), "ca");
    let username_path = form.field("username");
    let username = std::mem::take(&mut raw.username).get(form.report, &username_path);
    let password = form.secret(std::mem::take(&mut raw.password), "password");
    match (username_at, password_at) {
        (Some(at), None) => form.fault(&at, "username", "there is no `password` for it".into()),
        (None, Some(at)) => form.fault(&at, "password", "there is no `username` for it".into()),
        _ => {}
    }
    let (tls, host, port) = address?;
    if let Some(at) = ca_at.filter(|_| !tls) {
        form.fault(&at, "ca", format!("nobody vouches without TLS; the address would be {}://", schemes[1].0));
    }
    Some(Broker { host, port, tls, ca, login: username.zip(password) })
}

/// Whether it is TLS, the host and the port.
fn address(field: Field<String>, schemes: Schemes, form: &mut Form<'_, '_>) -> Option<(bool, String, u16)> {
    let at = field.span().clone();
    let text = form.text(field, "url", "where the broker is")?;
    match read(&text, schemes) {
        Ok(address) => Some(address),
        Err(message) => {
            form.fault(&at, "url", message);
            None
        }
    }
}

fn read(text: &str, schemes: Schemes) -> Result<(bool, String, u16), String> {
    let [(plain, _), (tls, _)] = schemes;
    let url = Url::parse(text).ok();
    let known = url.as_ref().and_then(|url| schemes.iter().position(|(scheme, _)| *scheme == url.scheme()));
    let (Some(url), Some(scheme)) = (url, known) else {
        return Err(format!("`{text}` is not an address such as {plain}://10.0.0.2 or {tls}://broker.example"));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a name and password do not belong in an address".into());
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("`{text}` has more than a host and a port"));
    }
    let host = match url.host() {
        Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        _ => return Err(format!("`{text}` names no host")),
    };
    Ok((scheme == 1, host, url.port().unwrap_or(schemes[scheme].1)))
}

/// A template that is `standard` if left out and passes `check`.
pub fn template(
    field: Field<String>,
    key: &str,
    standard: &str,
    check: impl FnOnce(&str, &Template) -> Result<(), String>,
    form: &mut Form<'_, '_>,
) -> Option<Template> {
    let (path, at) = (form.field(key), field.span().clone());
    let given = field.is_set();
    let text = match field.get(form.report, &path) {
        Some(text) => text,
        None if given => return None,
        None => standard.to_owned(),
    };
    match Template::parse(&text).and_then(|template| check(&text, &template).map(|()| template)) {
        Ok(template) => Some(template),
        Err(message) => {
            form.fault(&at, key, message);
            None
        }
    }
}
