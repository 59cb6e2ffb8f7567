//! Small pieces of XML that the sinks share.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

/// A document in memory, one element a line.
pub(super) type Xml = Writer<Vec<u8>>;

/// An empty document that says its `encoding`.
pub(super) fn document(encoding: &str) -> io::Result<Xml> {
    let mut xml = Writer::new_with_indent(Vec::with_capacity(4096), b' ', 1);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some(encoding), None)))?;
    Ok(xml)
}

/// An element that holds text, escaped.
pub(super) fn text(xml: &mut Xml, name: &str, value: &str) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(&one_line(value)))?;
    Ok(())
}

/// An element around others.
pub(super) fn element(xml: &mut Xml, name: &str, inner: impl FnOnce(&mut Xml) -> io::Result<()>) -> io::Result<()> {
    xml.create_element(name).write_inner_content(inner)?;
    Ok(())
}

/// What XML 1.0 cannot hold at all, and every line end, becomes a space.
pub(super) fn one_line(text: &str) -> String {
    text.replace(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}'), " ")
}

/// At most `limit` characters.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}
