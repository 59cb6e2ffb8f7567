//! The daily report: how alerts were answered, as a page and as a table, in Chinese or English.

use std::fmt::Write;

use super::journal::statistics::{Figures, Statistics};
use super::text;
use crate::config::plan::Site;
use crate::types::Kind;

/// Language of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Chinese.
    Zh,
    /// English.
    En,
}

/// The columns behind the name, in both languages.
const COLUMNS: [[&str; 2]; 9] = [
    ["收到", "received"],
    ["已答复", "answered"],
    ["已处置", "resolved"],
    ["误报", "false alarms"],
    ["限时", "due"],
    ["按时", "in time"],
    ["按时率", "in time, %"],
    ["答复中位数（分钟）", "median minutes"],
    ["误报率", "false alarms, %"],
];

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// Its tag in file names and pages.
    pub const fn tag(self) -> &'static str {
        self.pick("zh", "en")
    }

    const fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// A line of the tables.
struct Row {
    part: &'static str,
    name: String,
    unit: String,
    figures: Figures,
}

fn rows(site: &Site, day: &Statistics, language: Language) -> Vec<Row> {
    let all = language.pick("全部", "all");
    let mut rows = vec![Row { part: all, name: all.to_owned(), unit: String::new(), figures: day.total }];
    for of in &day.grids {
        let grid = site.grids.iter().find(|g| Some(&g.id) == of.grid.as_ref());
        let name = of.grid.clone().unwrap_or_else(|| language.pick("（无网格）", "(no grid)").to_owned());
        let unit = grid.map(|g| g.unit.clone()).unwrap_or_default();
        rows.push(Row { part: language.pick("网格", "grid"), name, unit, figures: of.figures });
    }
    for of in &day.kinds {
        let kind = of.kind.parse::<Kind>().map(text::kind);
        let name = kind.map_or_else(|_| of.kind.clone(), |(zh, en)| language.pick(zh, en).to_owned());
        rows.push(Row { part: language.pick("类型", "kind"), name, unit: String::new(), figures: of.figures });
    }
    rows
}

fn cells(figures: &Figures) -> [String; COLUMNS.len()] {
    let Figures { received, answered, resolved, false_alarms, due, in_time, median_minutes, false_alarm_share } =
        figures;
    let percent = |share: Option<f64>| share.map(|share| format!("{:.1}", share * 100.0)).unwrap_or_default();
    let timely = (*due > 0).then(|| f64::from(*in_time) / f64::from(*due));
    [
        received.to_string(),
        answered.to_string(),
        resolved.to_string(),
        false_alarms.to_string(),
        due.to_string(),
        in_time.to_string(),
        percent(timely),
        median_minutes.map(|minutes| format!("{minutes:.1}")).unwrap_or_default(),
        percent(*false_alarm_share),
    ]
}

/// Comma-separated values (RFC 4180) with a byte order mark, by which spreadsheets know UTF-8.
pub fn csv(site: &Site, day: &Statistics, language: Language) -> String {
    let mut out = String::from("\u{feff}");
    let first = [language.pick("日期", "day"), language.pick("分类", "by"), language.pick("名称", "name")];
    let head = first.into_iter().chain([language.pick("责任单位", "unit")]);
    line(&mut out, head.chain(COLUMNS.iter().map(|[zh, en]| language.pick(zh, en))));
    for row in rows(site, day, language) {
        let (date, cells) = (day.day.to_string(), cells(&row.figures));
        let names = [date.as_str(), row.part, row.name.as_str(), row.unit.as_str()];
        line(&mut out, names.into_iter().chain(cells.iter().map(String::as_str)));
    }
    out
}

fn line<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            out.push(',');
        }
        // A spreadsheet would take these for a formula.
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        if cell.contains([',', '"', '\n', '\r']) {
            out.push_str(&format!("\"{guard}{}\"", cell.replace('"', "\"\"")));
        } else {
            out.push_str(guard);
            out.push_str(cell);
        }
    }
    out.push_str("\r\n");
}

/// One page that needs nothing else.
pub fn html(site: &Site, day: &Statistics, language: Language) -> String {
    let title = format!("{} {} {}", language.pick("警情答复日报", "Answers to alerts"), site.id, day.day);
    let zone = site.time_zone.iana_name().unwrap_or("UTC");
    let tag = language.pick("zh-CN", "en");
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{tag}\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>\n\
         body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1b1f24; }}\n\
         table {{ border-collapse: collapse; }}\nth, td {{ border-bottom: 1px solid #d0d7de; padding: .3rem .7rem; }}\n\
         td {{ text-align: right; font-variant-numeric: tabular-nums; }}\nth {{ text-align: left; font-weight: 600; }}\n\
         </style>\n<h1>{title}</h1>\n<p>{}</p>\n<table>\n<tr>",
        escape(&match language {
            Language::Zh => format!(
                "按首次通知的日期统计（{zone}）；测试警情不计。“限时”为有答复时限的警情；中位数为首次通知到首次答复的分钟数；误报率为误报占已答复的比例。"
            ),
            Language::En => format!(
                "By the day of the first announcement ({zone}); test alerts do not count. \"Due\" alerts had a deadline; \
                 minutes run from the first announcement to the first answer; false alarms are a share of the answered."
            ),
        }),
        title = escape(&title),
    );
    let head = [language.pick("分类", "by"), language.pick("名称", "name"), language.pick("责任单位", "unit")];
    for cell in head.into_iter().chain(COLUMNS.iter().map(|[zh, en]| language.pick(zh, en))) {
        // Writing to a string cannot fail.
        write!(out, "<th>{}</th>", escape(cell)).unwrap_or_default();
    }
    out.push_str("</tr>\n");
    for row in rows(site, day, language) {
        out.push_str("<tr>");
        for cell in [row.part, &row.name, &row.unit] {
            write!(out, "<th>{}</th>", escape(cell)).unwrap_or_default();
        }
        for cell in cells(&row.figures) {
            write!(out, "<td>{cell}</td>").unwrap_or_default();
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table>\n</html>\n");
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_neither_a_formula_nor_two_cells() {
        let mut out = String::new();
        line(&mut out, ["a,b", "=1+1", "say \"x\"", "-3"].into_iter());
        assert_eq!(out, "\"a,b\",'=1+1,\"say \"\"x\"\"\",'-3\r\n");
    }
}
