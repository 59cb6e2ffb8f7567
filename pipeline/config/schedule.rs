//! When a rule or route is in force, in the site's time zone. A window belongs to the day on which it begins:
//! mon-fri 18:00 to 08:00 includes Saturday until 08:00.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use schemars::JsonSchema;
use serde::Deserialize;

/// Windows of the week with exceptions.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    zone: TimeZone,
    windows: Vec<Window>,
}

#[derive(Clone, Debug, PartialEq)]
struct Window {
    /// Monday first.
    weekdays: [bool; 7],
    from: Time,
    /// `None`: midnight at the end of the day.
    to: Option<Time>,
    except: Vec<(Date, bool)>,
}

/// A schedule as written: one table or several.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(untagged)]
pub enum ScheduleRaw {
    /// One window.
    One(WindowRaw),
    /// In force in any of them.
    Many(Vec<WindowRaw>),
}

// By hand: serde's own untagged enum answers every fault with "did not match any variant".
impl<'de> Deserialize<'de> for ScheduleRaw {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let built = if value.is_array() {
            Vec::deserialize(value).map(Self::Many)
        } else {
            WindowRaw::deserialize(value).map(Self::One)
        };
        built.map_err(serde::de::Error::custom)
    }
}

/// One window of the week.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowRaw {
    /// Days on which the window begins, such as `["mon-fri", "sun"]`; all days if left out.
    pub weekdays: Option<Vec<String>>,
    /// Begin, `HH:MM`.
    pub from: String,
    /// End, `HH:MM`, the next day if not after `from`; `24:00` is midnight.
    pub to: String,
    /// Days on which it is different.
    #[serde(default)]
    pub except: Vec<ExceptRaw>,
}

/// A day on which the window does, or does not, begin whatever the weekday.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExceptRaw {
    /// `YYYY-MM-DD`.
    #[schemars(with = "String")]
    pub date: toml::Value,
    /// Whether a window begins on that day.
    pub on: bool,
}

impl Schedule {
    /// From the written form; says what would be right.
    pub fn build(raw: ScheduleRaw, zone: &TimeZone) -> Result<Self, String> {
        let raw = match raw {
            ScheduleRaw::One(window) => vec![window],
            ScheduleRaw::Many(windows) => windows,
        };
        if raw.is_empty() {
            return Err("an empty list is never in force; leave `schedule` out for always".into());
        }
        let windows = raw.into_iter().map(Window::build).collect::<Result<_, _>>()?;
        Ok(Self { zone: zone.clone(), windows })
    }

    /// The window that `at` lies in, begin included, end not; `None` outside. Of overlapping windows the one that
    /// began first.
    pub fn window_at(&self, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let today = self.zone.to_datetime(at).date();
        let days = [today.checked_sub(1.day()).ok(), Some(today)];
        let spans =
            days.into_iter().flatten().flat_map(|day| self.windows.iter().filter_map(move |w| w.span(day, &self.zone)));
        spans.filter(|(from, to)| *from <= at && at < *to).min()
    }

    /// Whether it is in force.
    pub fn active_at(&self, at: Timestamp) -> bool {
        self.window_at(at).is_some()
    }
}

impl Window {
    fn build(raw: WindowRaw) -> Result<Self, String> {
        let mut weekdays = [raw.weekdays.is_none(); 7];
        for entry in raw.weekdays.iter().flatten() {
            let (first, last) = entry.split_once('-').unwrap_or((entry, entry));
            let (first, last) = (weekday(first)?, weekday(last)?);
            let mut day = first;
            loop {
                weekdays[day] = true;
                if day == last {
                    break;
                }
                day = (day + 1) % 7;
            }
        }
        let from = time(&raw.from)?;
        let to = if raw.to.trim() == "24:00" { None } else { Some(time(&raw.to)?) };
        if to == Some(from) {
            return Err(format!(
                "from {} to {} is an empty window; the whole day is \"00:00\" to \"24:00\"",
                raw.from, raw.to
            ));
        }
        let except = raw.except.iter().map(|e| Ok((date(&e.date)?, e.on))).collect::<Result<Vec<_>, String>>()?;
        let mut days: Vec<Date> = except.iter().map(|e| e.0).collect();
        days.sort_unstable();
        if let Some(twice) = days.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("`except` names {} twice", twice[0]));
        }
        if !weekdays.contains(&true) && !except.iter().any(|e| e.1) {
            return Err("no weekday and no exception: the window is never in force".into());
        }
        Ok(Self { weekdays, from, to, except })
    }

    fn span(&self, day: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let exception = self.except.iter().find(|e| e.0 == day).map(|e| e.1);
        let begins = exception.unwrap_or_else(|| self.weekdays[weekday_index(day.weekday())]);
        if !begins {
            return None;
        }
        let (end_day, end) = match self.to {
            Some(to) if to > self.from => (day, to),
            Some(to) => (day.tomorrow().ok()?, to),
            None => (day.tomorrow().ok()?, Time::midnight()),
        };
        let instant = |day: Date, time: Time| zone.to_timestamp(day.to_datetime(time)).ok();
        Some((instant(day, self.from)?, instant(end_day, end)?))
    }
}

fn weekday_index(day: Weekday) -> usize {
    usize::try_from(day.to_monday_zero_offset()).unwrap_or(0)
}

fn weekday(text: &str) -> Result<usize, String> {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let name = text.trim().to_ascii_lowercase();
    NAMES.iter().position(|n| *n == name).ok_or_else(|| {
        format!("`{text}` is not a weekday; write mon, tue, wed, thu, fri, sat, sun or a range such as mon-fri")
    })
}

/// A time of day as written, `HH:MM`.
pub(super) fn time(text: &str) -> Result<Time, String> {
    let wrong = || format!("`{text}` is not a time of day; write it as \"18:00\"");
    let (hour, minute) = text.trim().split_once(':').ok_or_else(wrong)?;
    let (hour, minute) = (hour.parse().map_err(|_| wrong())?, minute.parse().map_err(|_| wrong())?);
    Time::new(hour, minute, 0, 0).map_err(|_| wrong())
}

fn date(value: &toml::Value) -> Result<Date, String> {
    let text = match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.trim().parse().map_err(|_| format!("`{text}` is not a date; write it as \"2026-10-01\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(text: &str) -> Result<Schedule, String> {
        #[derive(Deserialize)]
        struct Holder {
            schedule: ScheduleRaw,
        }
        let holder: Holder = toml::from_str(text).map_err(|e| e.to_string())?;
        Schedule::build(holder.schedule, &TimeZone::get("Asia/Shanghai").unwrap())
    }

    fn at(text: &str) -> Timestamp {
        format!("{text}+08:00").parse().unwrap()
    }

    #[test]
    fn a_night_window_belongs_to_the_day_on_which_it_begins() {
        let s = schedule(r#"schedule = { weekdays = ["mon-fri"], from = "18:00", to = "08:00" }"#).unwrap();
        assert!(s.active_at(at("2026-11-27T18:00:00")), "Friday evening");
        assert!(s.active_at(at("2026-11-28T07:59:59")), "Saturday morning");
        assert!(!s.active_at(at("2026-11-28T08:00:00")));
        assert!(!s.active_at(at("2026-11-28T19:00:00")), "Saturday evening");
        assert!(!s.active_at(at("2026-11-30T07:00:00")), "Monday morning belongs to Sunday");
    }

    #[test]
    fn exceptions_switch_a_day_on_and_off() {
        let s = schedule(
            r#"schedule = [{ weekdays = ["mon-fri"], from = "09:00", to = "17:00",
               except = [{ date = 2026-10-01, on = false }, { date = "2026-10-10", on = true }] }]"#,
        )
        .unwrap();
        assert!(!s.active_at(at("2026-10-01T10:00:00")), "holiday");
        assert!(s.active_at(at("2026-10-10T10:00:00")), "working Saturday");
        assert!(s.active_at(at("2026-10-02T10:00:00")));
    }

    #[test]
    fn windows_end_at_midnight_and_ranges_wrap() {
        let s = schedule(r#"schedule = { weekdays = ["sat-mon"], from = "00:00", to = "24:00" }"#).unwrap();
        let window = s.window_at(at("2026-11-29T12:00:00")).unwrap();
        assert_eq!(window, (at("2026-11-29T00:00:00"), at("2026-11-30T00:00:00")));
        assert!(!s.active_at(at("2026-12-01T00:00:00")), "Tuesday");
    }

    #[test]
    fn impossible_schedules_say_why() {
        for (text, word) in [
            (r#"schedule = { from = "18:00", to = "18:00" }"#, "empty window"),
            (r#"schedule = { weekdays = [], from = "18:00", to = "19:00" }"#, "never in force"),
            (r#"schedule = { weekdays = ["monday"], from = "18:00", to = "19:00" }"#, "weekday"),
            (r#"schedule = { from = "25:00", to = "19:00" }"#, "time of day"),
            ("schedule = []", "empty list"),
        ] {
            let message = schedule(text).unwrap_err();
            assert!(message.contains(word), "{text}: {message}");
        }
    }
}
