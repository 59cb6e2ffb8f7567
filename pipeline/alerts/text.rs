//! The sentence that a dispatcher reads, in Chinese and English.

use crate::types::{Direction, EndReason, Event, Kind, Localized, Overdue, Severity, State, Unit};

/// Says what the event says. `sides` are the names of a line's left and right side.
pub fn sentence(event: &Event, sides: Option<(&str, &str)>) -> Localized {
    if event.is_test() {
        return test(event);
    }
    let (what_zh, what_en) = what(event, sides);
    let (place_zh, place_en) = place(event);
    let (zh, en) = match event.state {
        State::Ended => {
            let (why_zh, why_en) = reason(event.reason);
            (format!("已结束（{why_zh}）：{what_zh}"), format!("Ended ({why_en}): {what_en}"))
        }
        State::Updated => (format!("更新：{what_zh}"), format!("Update: {what_en}")),
        State::Overdue => {
            let (late_zh, late_en) = overdue(event.overdue.as_ref());
            (format!("{late_zh}：{what_zh}"), format!("{late_en}: {what_en}"))
        }
        State::Started | State::Counted | State::Evidence => (what_zh, what_en),
    };
    match event.severity {
        Some(severity) => {
            let (level_zh, level_en) = level(severity);
            Localized { zh: format!("【{level_zh}】{place_zh}：{zh}"), en: format!("[{level_en}] {place_en}: {en}") }
        }
        None => Localized { zh: format!("{place_zh}：{zh}"), en: format!("{place_en}: {en}") },
    }
}

fn test(event: &Event) -> Localized {
    let rule = event.rule.as_deref().unwrap_or_default();
    let (zh, en) = if event.state == State::Ended { ("测试结束", "test over") } else { ("线路测试", "test") };
    Localized {
        zh: format!("【测试】{zh}（{rule}），不是真实警情，无需出警"),
        en: format!("[TEST] {en} ({rule}): not a real alert, send nobody"),
    }
}

fn overdue(overdue: Option<&Overdue>) -> (String, String) {
    let Some(Overdue { within_s, escalated_to, .. }) = overdue else {
        return ("逾期无人答复".into(), "No answer in time".into());
    };
    let (time_zh, time_en) = match (within_s / 60, within_s % 60) {
        (0, s) => (format!("{s}秒"), format!("{s} s")),
        (m, 0) => (format!("{m}分钟"), format!("{m} min")),
        (m, s) => (format!("{m}分{s}秒"), format!("{m} min {s} s")),
    };
    match escalated_to {
        Some(route) => (
            format!("{time_zh}内无人答复，已升级至“{route}”"),
            format!("No answer within {time_en}, escalated to \"{route}\""),
        ),
        None => (format!("{time_zh}内无人答复"), format!("No answer within {time_en}")),
    }
}

fn place(event: &Event) -> (String, String) {
    let part = event.zone_name.as_deref().or(event.line.as_deref());
    match (event.camera_name.as_deref(), part) {
        (Some(camera), Some(part)) => (format!("{camera}·{part}"), format!("{camera}, {part}")),
        (Some(camera), None) => (camera.to_owned(), camera.to_owned()),
        (None, _) => (format!("{}全场", event.site), format!("{}, the whole site", event.site)),
    }
}

fn what(event: &Event, sides: Option<(&str, &str)>) -> (String, String) {
    let ended = event.state == State::Ended;
    let value = number(if ended { event.peak } else { event.value });
    let limit = number(event.threshold);
    let (most_zh, most_en) = if ended { ("最多", "up to ") } else { ("", "") };
    match event.kind {
        Kind::Crowd => (
            format!("区域内{most_zh}{value}人，阈值{limit}人"),
            format!("{most_en}{value} people in the zone, threshold {limit}"),
        ),
        Kind::Gathering => (
            format!("聚集{most_zh}{value}人，阈值{limit}人"),
            format!("gathering of {most_en}{value} people, threshold {limit}"),
        ),
        Kind::Loitering => {
            (format!("有人停留{value}秒，阈值{limit}秒"), format!("a person has stayed {value} s, threshold {limit} s"))
        }
        Kind::Intrusion => {
            let people = if value == "1" { "person" } else { "people" };
            (format!("{most_zh}{value}人进入禁入区域"), format!("{most_en}{value} {people} in a closed zone"))
        }
        Kind::Crossing => crossing(event, sides),
        Kind::WrongWay => {
            let (unit_zh, unit_en) = unit(event.unit);
            (
                format!("有人逆行{most_zh}{value}{unit_zh}"),
                format!("a person has gone {most_en}{value} {unit_en} against the way"),
            )
        }
        Kind::CounterFlow => (
            format!("{most_zh}{}的人逆向而行，阈值{}", percent(event, ended), share(event.threshold)),
            format!(
                "{most_en}{} of the people go against the flow, threshold {}",
                percent(event, ended),
                share(event.threshold)
            ),
        ),
        Kind::Rush => {
            let (unit_zh, unit_en) = unit(event.unit);
            (
                format!("{}人奔跑，速度{most_zh}{value}{unit_zh}", event.people),
                format!("{} people run, {most_en}{value} {unit_en}", event.people),
            )
        }
        Kind::Proximity => {
            let (unit_zh, unit_en) = unit(event.unit);
            let (least_zh, least_en) = if ended { ("最近", "down to ") } else { ("", "") };
            (
                format!("{}人相距{least_zh}{value}{unit_zh}，下限{limit}{unit_zh}", event.people),
                format!("{} people {least_en}{value} {unit_en} apart, limit {limit}", event.people),
            )
        }
        Kind::Vanished => (
            format!("有人进入水域后{value}秒未见，请核实"),
            format!("a person in the water has not been seen for {value} s; please check"),
        ),
        Kind::Occupancy => {
            (format!("{most_zh}{value}人，阈值{limit}人"), format!("{most_en}{value} people, threshold {limit}"))
        }
        Kind::Density => {
            // A count of people who hide each other is a lower bound.
            let (least_zh, least_en) = if event.saturated { ("至少", "at least ") } else { ("", "") };
            (
                format!("密度{most_zh}{least_zh}每平方米{value}人（{}人），阈值{limit}", event.people),
                format!("{most_en}{least_en}{value} people/m² ({} people), threshold {limit}", event.people),
            )
        }
        Kind::Offline => (format!("{value}秒没有画面"), format!("no pictures for {value} s")),
        Kind::Frozen => (format!("画面{value}秒没有变化"), format!("the picture has not changed for {value} s")),
        Kind::Dark => (format!("画面过暗已{value}秒"), format!("the picture has been dark for {value} s")),
        Kind::Blurred => (format!("画面模糊已{value}秒"), format!("the picture has been blurred for {value} s")),
        Kind::Moved if ended => (
            format!("摄像机视角曾偏移{value}秒，其规则恢复执行"),
            format!("the camera looked elsewhere for {value} s; its rules are in force again"),
        ),
        Kind::Moved => (
            format!("摄像机视角已偏移{value}秒，其规则暂停，直至视角恢复或重新确认"),
            format!(
                "the camera has looked elsewhere for {value} s; its rules rest until the view is back or accepted anew"
            ),
        ),
    }
}

fn percent(event: &Event, ended: bool) -> String {
    share(if ended { event.peak } else { event.value })
}

fn share(value: f64) -> String {
    format!("{:.0}%", 100.0 * value)
}

/// A unit as it is read.
fn unit(unit: Unit) -> (&'static str, &'static str) {
    match unit {
        Unit::People => ("人", "people"),
        Unit::Seconds => ("秒", "s"),
        Unit::PeoplePerSquareMetre => ("人/平方米", "people/m²"),
        Unit::Metres => ("米", "m"),
        Unit::BodyHeights => ("个身高", "body heights"),
        Unit::MetresPerSecond => ("米/秒", "m/s"),
        Unit::BodyHeightsPerSecond => ("个身高/秒", "body heights/s"),
        Unit::Share => ("", ""),
    }
}

fn crossing(event: &Event, sides: Option<(&str, &str)>) -> (String, String) {
    let (left, right) = sides.unzip();
    let (left_zh, left_en) = (left.unwrap_or("左侧"), left.unwrap_or("the left"));
    let (right_zh, right_en) = (right.unwrap_or("右侧"), right.unwrap_or("the right"));
    match event.direction {
        Some(Direction::LeftToRight) => {
            (format!("一人越线，从{left_zh}到{right_zh}"), format!("a person crossed from {left_en} to {right_en}"))
        }
        Some(Direction::RightToLeft) => {
            (format!("一人越线，从{right_zh}到{left_zh}"), format!("a person crossed from {right_en} to {left_en}"))
        }
        None => ("一人越线".into(), "a person crossed the line".into()),
    }
}

/// A name's language: what is drawn beside it speaks the same.
pub fn is_chinese(name: &str) -> bool {
    name.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// The kind in a word or two.
pub fn kind(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Crowd => ("人员密集", "crowd"),
        Kind::Density => ("人群密度", "density"),
        Kind::Gathering => ("聚集", "gathering"),
        Kind::Loitering => ("滞留", "loitering"),
        Kind::Intrusion => ("闯入", "intrusion"),
        Kind::Crossing => ("越线", "crossing"),
        Kind::WrongWay => ("逆行", "wrong way"),
        Kind::CounterFlow => ("对向人流", "counter-flow"),
        Kind::Rush => ("奔跑", "rush"),
        Kind::Proximity => ("近距离接触", "proximity"),
        Kind::Vanished => ("入水未见离开", "vanished"),
        Kind::Occupancy => ("总人数", "occupancy"),
        Kind::Offline => ("无画面", "offline"),
        Kind::Frozen => ("画面冻结", "frozen picture"),
        Kind::Dark => ("画面过暗", "dark picture"),
        Kind::Blurred => ("画面模糊", "blurred picture"),
        Kind::Moved => ("视角偏移", "camera moved"),
    }
}

fn level(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Minor => ("一般", "minor"),
        Severity::Moderate => ("较重", "moderate"),
        Severity::Severe => ("严重", "severe"),
        Severity::Extreme => ("特别严重", "extreme"),
    }
}

fn reason(reason: Option<EndReason>) -> (&'static str, &'static str) {
    match reason {
        Some(EndReason::Cleared) | None => ("已解除", "cleared"),
        Some(EndReason::SignalLost) => ("视频信号丢失", "signal lost"),
        Some(EndReason::Schedule) => ("布防时段结束", "schedule over"),
        Some(EndReason::Snoozed) => ("已静默", "snoozed"),
        Some(EndReason::Reconfigured) => ("规则已更改", "rule changed"),
        Some(EndReason::Stopped) => ("系统停止", "stopped"),
    }
}

/// Whole numbers without a point, others with one decimal.
fn number(value: f64) -> String {
    if (value - value.round()).abs() < 0.05 { format!("{:.0}", value.round()) } else { format!("{value:.1}") }
}
