//! A day of numbers by hours of the site's time zone, and as CSV.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::store::{NumbersError, NumbersReader};
use super::{Counted, Occupied};

/// A camera's day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CameraDay {
    /// Camera id.
    pub camera: String,
    /// Those in which something was counted, in the order of time.
    pub hours: Vec<CameraHour>,
}

/// A camera's hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CameraHour {
    /// Of the site's time zone, 0 to 23. The hour that a change of the clock repeats stands once.
    pub hour: i8,
    /// By zone.
    pub people: BTreeMap<String, People>,
    /// By line.
    pub lines: BTreeMap<String, Crossings>,
}

/// People in a zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct People {
    /// Over the time for which it was seen.
    pub mean: f64,
    /// Most at once.
    pub max: u32,
}

/// People who crossed a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Crossings {
    /// From the left to the right.
    pub left_to_right: u64,
    /// From the right to the left.
    pub right_to_left: u64,
}

/// The site's day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SiteDay {
    /// All cameras.
    pub cameras: Vec<CameraDay>,
    /// People on the whole site, by rule.
    pub occupancy: BTreeMap<String, Vec<OccupiedHour>>,
}

/// People on the whole site in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OccupiedHour {
    /// Of the site's time zone.
    pub hour: i8,
    /// At its end, or so far.
    pub last: f64,
    /// Most.
    pub max: f64,
}

/// From the beginning of a day to that of the next, Unix seconds.
fn bounds(day: Date, zone: &TimeZone) -> (i64, i64) {
    let begin = |day: Date| zone.to_timestamp(day.at(0, 0, 0, 0)).map_or(0, Timestamp::as_second);
    (begin(day), day.tomorrow().map_or(i64::MAX, begin))
}

fn hour(quarter: i64, zone: &TimeZone) -> i8 {
    zone.to_datetime(Timestamp::from_second(quarter).unwrap_or_default()).hour()
}

/// A camera's day.
pub fn camera_day(
    reader: Option<&NumbersReader>,
    camera: &str,
    day: Date,
    zone: &TimeZone,
) -> Result<CameraDay, NumbersError> {
    let (from, until) = bounds(day, zone);
    let counted = reader.map_or(Ok(Vec::new()), |reader| reader.counted(camera, from, until))?;
    Ok(CameraDay { camera: camera.to_owned(), hours: hours(&counted, zone) })
}

fn hours(counted: &[Counted], zone: &TimeZone) -> Vec<CameraHour> {
    let mut hours: BTreeMap<i8, (CameraHour, BTreeMap<String, [f64; 2]>)> = BTreeMap::new();
    for quarter in counted {
        let (hour, sums) = hours.entry(hour(quarter.quarter, zone)).or_default();
        for zone in &quarter.zones {
            let [seconds, person_seconds] = sums.entry(zone.zone.clone()).or_default();
            *seconds += zone.seconds;
            *person_seconds += zone.person_seconds;
            let people = hour.people.entry(zone.zone.clone()).or_default();
            people.max = people.max.max(zone.most);
        }
        for line in &quarter.lines {
            let crossings = hour.lines.entry(line.line.clone()).or_default();
            crossings.left_to_right += line.left_to_right;
            crossings.right_to_left += line.right_to_left;
        }
    }
    let finish = |(number, (mut hour, sums)): (i8, (CameraHour, BTreeMap<String, [f64; 2]>))| {
        hour.hour = number;
        for (zone, [seconds, person_seconds]) in sums {
            let mean = if seconds > 0.0 { person_seconds / seconds } else { 0.0 };
            hour.people.entry(zone).or_default().mean = (mean * 1e2).round() / 1e2;
        }
        hour
    };
    hours.into_iter().map(finish).collect()
}

/// The site's day: these cameras, and people on the whole site.
pub fn site_day<'a>(
    reader: Option<&NumbersReader>,
    cameras: impl Iterator<Item = &'a str>,
    day: Date,
    zone: &TimeZone,
) -> Result<SiteDay, NumbersError> {
    let (from, until) = bounds(day, zone);
    let cameras = cameras.map(|camera| camera_day(reader, camera, day, zone)).collect::<Result<_, _>>()?;
    let mut occupancy: BTreeMap<String, Vec<OccupiedHour>> = BTreeMap::new();
    for Occupied { rule, quarter, last, most } in
        reader.map_or(Ok(Vec::new()), |reader| reader.occupied(from, until))?
    {
        let (hour, hours) = (hour(quarter, zone), occupancy.entry(rule).or_default());
        match hours.last_mut().filter(|known| known.hour == hour) {
            Some(known) => (known.last, known.max) = (last, known.max.max(most)),
            None => hours.push(OccupiedHour { hour, last, max: most }),
        }
    }
    Ok(SiteDay { cameras, occupancy })
}

/// One row for each hour and zone, line or rule of the site. Ids are letters, digits, - and _: nothing needs quotes.
pub fn csv(day: Date, site: &SiteDay) -> String {
    let mut text = "day,hour,camera,kind,id,mean,max,last,left_to_right,right_to_left\r\n".to_owned();
    let mut row = |row: std::fmt::Arguments<'_>| {
        // Writing to a string cannot fail.
        text.write_fmt(row).ok();
        text.push_str("\r\n");
    };
    for CameraDay { camera, hours } in &site.cameras {
        for CameraHour { hour, people, lines } in hours {
            for (zone, People { mean, max }) in people {
                row(format_args!("{day},{hour},{camera},zone,{zone},{mean},{max},,,"));
            }
            for (line, Crossings { left_to_right, right_to_left }) in lines {
                row(format_args!("{day},{hour},{camera},line,{line},,,,{left_to_right},{right_to_left}"));
            }
        }
    }
    for (rule, hours) in &site.occupancy {
        for OccupiedHour { hour, last, max } in hours {
            row(format_args!("{day},{hour},,site,{rule},,{max},{last},,"));
        }
    }
    text
}
