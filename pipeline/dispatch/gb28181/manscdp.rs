//! MANSCDP: the XML in the bodies of GB/T 28181 messages (GB/T 28181-2016 and -2022, annex A). Reading is bounded and
//! never panics.

use std::borrow::Cow;
use std::io;

use encoding_rs::GB18030;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event as Part;

use crate::config::plan::Encoding;
use crate::dispatch::xml::{self, Xml};

/// Media type of a body.
pub const CONTENT_TYPE: &str = "Application/MANSCDP+xml";
/// Most fields of a body that are kept.
const MOST_FIELDS: usize = 64;
/// Longest value that is kept, bytes.
const LONGEST_VALUE: usize = 1024;

/// A body as read: its kind and the plain fields directly below the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// `Query`, `Control`, `Notify` or `Response`.
    pub root: String,
    fields: Vec<(String, String)>,
}

impl Body {
    /// Reads a body in UTF-8 or GB18030, by its own declaration. `None` when it is no XML.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let text = decode(bytes);
        let mut reader = Reader::from_str(&text);
        let mut body = Self::default();
        // Names of the open elements; the text of the one below the root.
        let (mut depth, mut name, mut value) = (0_usize, String::new(), String::new());
        loop {
            match reader.read_event().ok()? {
                Part::Start(start) => {
                    depth += 1;
                    match depth {
                        1 => body.root = start.local_name().into_inner().to_owned(),
                        2 => {
                            name = start.local_name().into_inner().to_owned();
                            value.clear();
                        }
                        _ => {}
                    }
                }
                Part::Text(part) if depth == 2 => add(&mut value, &part),
                Part::CData(part) if depth == 2 => add(&mut value, &part),
                Part::GeneralRef(part) if depth == 2 => match part.resolve_char_ref().ok()? {
                    Some(character) => add(&mut value, character.encode_utf8(&mut [0; 4])),
                    None => add(&mut value, resolve_predefined_entity(&part)?),
                },
                Part::End(_) => {
                    if depth == 2 && body.fields.len() < MOST_FIELDS {
                        body.fields.push((std::mem::take(&mut name), value.trim().to_owned()));
                    }
                    depth = depth.checked_sub(1)?;
                }
                Part::Eof => break,
                _ => {}
            }
        }
        (depth == 0 && !body.root.is_empty()).then_some(body)
    }

    /// The first field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The number that ties an answer to its command.
    pub fn serial(&self) -> Option<u32> {
        self.field("SN")?.parse().ok()
    }
}

fn add(value: &mut String, text: &str) {
    if value.len() + text.len() <= LONGEST_VALUE {
        value.push_str(text);
    }
}

/// Writes a body: `root` with `CmdType`, `SN` and `DeviceID`, then what `inner` adds.
pub fn write(
    encoding: Encoding,
    root: &str,
    command: &str,
    serial: u32,
    device: &str,
    inner: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<Vec<u8>> {
    let mut document = xml::document(label(encoding))?;
    xml::element(&mut document, root, |xml| {
        xml::text(xml, "CmdType", command)?;
        xml::text(xml, "SN", &serial.to_string())?;
        xml::text(xml, "DeviceID", device)?;
        inner(xml)
    })?;
    let text = document.into_inner();
    Ok(match encoding {
        Encoding::Utf8 => text,
        // All of Unicode can be written in it.
        Encoding::Gb18030 => GB18030.encode(&String::from_utf8_lossy(&text)).0.into_owned(),
    })
}

const fn label(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "UTF-8",
        Encoding::Gb18030 => "GB18030",
    }
}

/// By the declaration; GB 2312 and GBK are parts of GB18030. Without one, whatever is valid.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(100)]).to_ascii_lowercase();
    let declared = start.split_once("encoding=").map(|(_, rest)| rest);
    let is_gb = declared.is_some_and(|rest| rest.trim_start_matches(['"', '\'']).starts_with("gb"));
    let says_utf = declared.is_some_and(|rest| rest.trim_start_matches(['"', '\'']).starts_with("utf"));
    match std::str::from_utf8(bytes) {
        Ok(text) if !is_gb => Cow::Borrowed(text),
        Err(_) if says_utf => String::from_utf8_lossy(bytes),
        _ => GB18030.decode(bytes).0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RESPONSE: &str = "<?xml version=\"1.0\"?>\n<Response>\n<CmdType>Alarm</CmdType>\n<SN>17430</SN>\n\
        <DeviceID>64010000001340000101</DeviceID>\n<Result>OK</Result>\n</Response>";

    #[test]
    fn an_answer_is_read() {
        let body = Body::read(RESPONSE.as_bytes()).unwrap();
        assert_eq!((body.root.as_str(), body.serial()), ("Response", Some(17430)));
        assert_eq!(body.field("Result"), Some("OK"));
        assert_eq!(body.field("Missing"), None);
        for broken in ["", "OK", "<Response>", "<a></b>", "<a>&unknown;</a><", "</a>"] {
            assert_eq!(Body::read(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn both_encodings_go_there_and_back() {
        for encoding in [Encoding::Utf8, Encoding::Gb18030] {
            let text = "入口台阶 <&\"'> ü 𝄞";
            let bytes =
                write(encoding, "Notify", "Alarm", 7, "1", |xml| xml::text(xml, "AlarmDescription", text)).unwrap();
            assert_eq!(std::str::from_utf8(&bytes).is_ok(), encoding == Encoding::Utf8);
            let body = Body::read(&bytes).unwrap();
            assert_eq!((body.root.as_str(), body.serial()), ("Notify", Some(7)));
            assert_eq!(body.field("AlarmDescription"), Some(text));
        }
        // Without a declaration and in GBK, as some platforms write.
        let gbk = GB18030.encode("<Response><Result>成功</Result></Response>").0.into_owned();
        assert_eq!(Body::read(&gbk).unwrap().field("Result"), Some("成功"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn garbage_never_panics(bytes: Vec<u8>, text in "[<>/&;?!\\[\\]a\"= €\\-#x0]{0,60}") {
            Body::read(&bytes);
            Body::read(text.as_bytes());
            Body::read(format!("<a><b>{text}</b></a>").as_bytes());
        }

        #[test]
        fn any_text_comes_back_as_one_line(text in "\\PC{0,60}") {
            for encoding in [Encoding::Utf8, Encoding::Gb18030] {
                let bytes = write(encoding, "Notify", "x", 1, "1", |xml| xml::text(xml, "T", &text)).unwrap();
                let body = Body::read(&bytes).unwrap();
                let line = xml::one_line(&text);
                prop_assert_eq!(body.field("T"), Some(line.trim()));
            }
        }
    }
}
