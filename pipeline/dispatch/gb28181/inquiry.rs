//! What a platform asks a device: which channels it has, what it is, how it is. Lookout takes no remote control.

use std::io;

use super::manscdp::{self, Body};
use crate::config::plan::Gb28181;
use crate::dispatch::xml;

/// Bodies of the messages that answer a `Query` or `Control`; one for each channel of a catalog, so that each fits a
/// datagram. None for what is not known, or for another device.
pub fn answers(asked: &Body, plan: &Gb28181) -> Vec<Vec<u8>> {
    let (Some(serial), Some(command)) = (asked.serial(), asked.field("CmdType")) else { return Vec::new() };
    let written: io::Result<Vec<Vec<u8>>> = match (asked.root.as_str(), command) {
        ("Query", "Catalog") => catalog(serial, plan),
        ("Query", "DeviceInfo") => info(serial, plan).map(|body| vec![body]),
        ("Query", "DeviceStatus") => status(serial, plan).map(|body| vec![body]),
        ("Control", "DeviceControl") => control(asked, serial, plan).map(|body| vec![body]),
        _ => return Vec::new(),
    };
    written.unwrap_or_else(|error| {
        tracing::error!(%error, command, "an answer cannot be written");
        Vec::new()
    })
}

fn catalog(serial: u32, plan: &Gb28181) -> io::Result<Vec<Vec<u8>>> {
    let count = plan.channels.len().to_string();
    if plan.channels.is_empty() {
        let none = respond(plan, "Catalog", serial, |xml| {
            xml::text(xml, "SumNum", "0")?;
            xml.create_element("DeviceList").with_attribute(("Num", "0")).write_empty()?;
            Ok(())
        });
        return none.map(|body| vec![body]);
    }
    let one = |(camera, channel): (&String, &String)| {
        respond(plan, "Catalog", serial, |xml| {
            xml::text(xml, "SumNum", &count)?;
            xml.create_element("DeviceList").with_attribute(("Num", "1")).write_inner_content(|xml| {
                xml::element(xml, "Item", |xml| {
                    let fields = [
                        ("DeviceID", channel.as_str()),
                        ("Name", camera),
                        ("Manufacturer", "Lookout"),
                        ("Model", "Lookout"),
                        ("Owner", "Lookout"),
                        // The administrative district: the first eight digits.
                        ("CivilCode", channel.get(..8).unwrap_or(channel)),
                        ("Address", camera),
                        ("Parental", "0"),
                        ("ParentID", &plan.device_id),
                        ("SafetyWay", "0"),
                        ("RegisterWay", "1"),
                        ("Secrecy", "0"),
                        ("Status", "ON"),
                    ];
                    fields.iter().try_for_each(|(name, value)| xml::text(xml, name, value))
                })
            })?;
            Ok(())
        })
    };
    plan.channels.iter().map(one).collect()
}

fn info(serial: u32, plan: &Gb28181) -> io::Result<Vec<u8>> {
    respond(plan, "DeviceInfo", serial, |xml| {
        let channels = plan.channels.len().to_string();
        let fields = [
            ("DeviceName", "Lookout"),
            ("Result", "OK"),
            ("Manufacturer", "Lookout"),
            ("Model", "Lookout"),
            ("Firmware", env!("CARGO_PKG_VERSION")),
            ("Channel", &channels),
        ];
        fields.iter().try_for_each(|(name, value)| xml::text(xml, name, value))
    })
}

/// On duty: alarms are always on.
fn status(serial: u32, plan: &Gb28181) -> io::Result<Vec<u8>> {
    respond(plan, "DeviceStatus", serial, |xml| {
        for (name, value) in [("Result", "OK"), ("Online", "ONLINE"), ("Status", "OK"), ("Encode", "OFF")] {
            xml::text(xml, name, value)?;
        }
        xml.create_element("Alarmstatus").with_attribute(("Num", "1")).write_inner_content(|xml| {
            xml::element(xml, "Item", |xml| {
                xml::text(xml, "DeviceID", &plan.device_id)?;
                xml::text(xml, "DutyStatus", "ONDUTY")
            })
        })?;
        Ok(())
    })
}

/// Armed it is; whatever else is asked for, it refuses: nobody may silence alerts from outside.
fn control(asked: &Body, serial: u32, plan: &Gb28181) -> io::Result<Vec<u8>> {
    let result = if asked.field("GuardCmd") == Some("SetGuard") { "OK" } else { "ERROR" };
    respond(plan, "DeviceControl", serial, |xml| xml::text(xml, "Result", result))
}

fn respond(
    plan: &Gb28181,
    command: &str,
    serial: u32,
    inner: impl FnOnce(&mut xml::Xml) -> io::Result<()>,
) -> io::Result<Vec<u8>> {
    manscdp::write(plan.encoding, "Response", command, serial, &plan.device_id, inner)
}
