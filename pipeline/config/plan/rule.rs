//! A rule: what it watches, who counts, how a condition becomes an alert.

use crate::config::schedule::Schedule;
use crate::types::{Direction, Kind, Point, Severity, Span, Unit};

/// One rule of one zone or line, or about the camera itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Rule id, unique in the camera.
    pub id: String,
    /// What it watches; carries its own parameters.
    pub condition: Condition,
    /// Where.
    pub place: RulePlace,
    /// Who counts.
    pub filter: Filter,
    /// How a condition becomes an alert.
    pub incident: Incident,
}

/// Index of the zone or line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulePlace {
    /// The camera itself.
    Camera,
    /// Into [`Camera::zones`].
    Zone(usize),
    /// Into [`Camera::lines`].
    Line(usize),
    /// The whole site.
    Site,
}

/// What a rule watches.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// People in the zone.
    Crowd {
        /// So many or more.
        people: u32,
    },
    /// People a square metre of the zone's ground.
    Density,
    /// A cluster on the ground.
    Gathering {
        /// So many or more.
        people: u32,
        /// DBSCAN's eps.
        radius: Length,
        /// Only clusters that stand: median speed below 0.5 m/s over 2 s.
        standing: bool,
    },
    /// One person staying; the dwell is [`Incident::hold`].
    Loitering {
        /// What staying means.
        mode: Stay,
    },
    /// Anyone inside.
    Intrusion,
    /// Someone goes against the way.
    WrongWay {
        /// The allowed way: two or more points, fractions.
        along: Vec<Point>,
        /// How far against it.
        distance: Length,
    },
    /// People move against the main flow; the threshold is their share.
    CounterFlow {
        /// The main flow: two or more points, fractions; `None`: where most people go.
        along: Option<Vec<Point>>,
        /// Fewer people who move are no flow.
        people: u32,
    },
    /// The people suddenly run; the threshold is their median speed, m/s.
    Rush {
        /// Fewer are no group.
        people: u32,
        /// And so many times as fast as is usual there.
        factor: f64,
    },
    /// People too near each other; the threshold is the distance.
    Proximity {
        /// How near.
        distance: Length,
        /// 2: each pair; more: a queue of so many.
        people: u32,
        /// Pairs who moved together are left out.
        exempt_together: bool,
    },
    /// Someone was followed in the zone and not seen again; the time is [`Incident::hold`].
    Vanished,
    /// People on the whole site.
    Occupancy {
        /// So many or more.
        people: u32,
        /// Where people come in and go out.
        gates: Vec<Gate>,
        /// When the day begins and nobody is there.
        reset: Reset,
    },
    /// Someone crosses the line.
    Crossing {
        /// `None`: either way.
        direction: Option<Direction>,
    },
    /// The camera is unwell.
    Health(Ailment),
}

/// What a camera suffers from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ailment {
    /// No pictures.
    Offline,
    /// The same picture again and again.
    Frozen,
    /// The bright end of the picture is below this luma, 0 to 1.
    Dark(f64),
    /// Sharpness is below this share of what is usual.
    Blurred(f64),
    /// The scene is elsewhere in the picture by this share of its width, or another one.
    Moved(f64),
}

/// A line at which people come in and go out of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Camera id.
    pub camera: String,
    /// Line id.
    pub line: String,
    /// The way in.
    pub inward: Direction,
}

/// A time of day in the site's time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Reset {
    /// Of the site.
    pub zone: jiff::tz::TimeZone,
    /// When a day begins.
    pub time: jiff::civil::Time,
}

impl Reset {
    /// Number of the day that an instant belongs to: days since 1970-01-01, of the date on which it began.
    pub fn day(&self, at: jiff::Timestamp) -> i64 {
        let local = self.zone.to_datetime(at);
        let since = local.date().duration_since(jiff::civil::Date::constant(1970, 1, 1)).as_hours() / 24;
        if local.time() < self.time { since - 1 } else { since }
    }
}

/// What staying means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stay {
    /// Inside the zone.
    Dwell,
    /// All feet points of the last `dwell` fit in a circle.
    Linger {
        /// Its radius.
        radius: Length,
    },
}

/// A length on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    /// Metres.
    Metres(f64),
    /// Body heights, 1.70 m where there is a ground plane.
    BodyHeights(f64),
}

/// Height of a person where no ground plane says otherwise, metres.
pub const BODY_HEIGHT_M: f64 = 1.70;

/// Which people count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filter {
    /// Which point of the box stands for the person.
    pub anchor: Anchor,
    /// Least box height as a fraction of the picture's.
    pub min_height: f64,
    /// Largest box height as a fraction of the picture's.
    pub max_height: f64,
    /// Least score.
    pub min_score: f64,
}

/// Which point of the box stands for the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Anchor {
    /// Bottom centre.
    #[default]
    Feet,
    /// Middle.
    Center,
}

/// How a condition becomes an alert; shared by all rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// The condition holds from this value on. Lengths are in metres.
    pub threshold: f64,
    /// Once active it holds from this value on.
    pub release: f64,
    /// It holds from the threshold down, and gets worse downwards (distances).
    pub falling: bool,
    /// Unit of the value.
    pub unit: Unit,
    /// The reported value is the time since the condition began (loitering), not the signal's.
    pub elapsed: bool,
    /// Time since the condition began before the alert starts.
    pub hold: Span,
    /// An interruption that does not matter.
    pub gap: Span,
    /// Quiet after `ended`.
    pub cooldown: Span,
    /// When the rule is in force; `None`: always.
    pub schedule: Option<Schedule>,
    /// While it lasts only a worse severity is told: that a camera is still unwell is no news.
    pub quiet: bool,
    /// At start.
    pub severity: Severity,
    /// Rising: from `value` up, `severity`.
    pub escalate: Vec<Escalation>,
}

/// A step of severity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Escalation {
    /// From this value up.
    pub value: f64,
    /// So severe.
    pub severity: Severity,
}

impl Incident {
    /// Whether a value reaches `level`: the threshold or the release, or the value of a step.
    pub fn reaches(&self, value: f64, level: f64) -> bool {
        if self.falling { value <= level } else { value >= level }
    }

    /// Whether the condition can begin to hold with this value of a signal.
    pub fn begins(&self, value: f64) -> bool {
        if self.elapsed { value >= 1.0 } else { self.reaches(value, self.threshold) }
    }

    /// Whether the condition goes on holding in an active incident.
    pub fn lasts(&self, value: f64) -> bool {
        if self.elapsed { value >= 1.0 } else { self.reaches(value, self.release) }
    }
}

impl Condition {
    /// Where it counts people of several cameras; else nothing.
    pub fn gates(&self) -> &[Gate] {
        match self {
            Self::Occupancy { gates, .. } => gates,
            _ => &[],
        }
    }

    /// The kind as events name it.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Crowd { .. } => Kind::Crowd,
            Self::Density => Kind::Density,
            Self::Gathering { .. } => Kind::Gathering,
            Self::Loitering { .. } => Kind::Loitering,
            Self::Intrusion => Kind::Intrusion,
            Self::WrongWay { .. } => Kind::WrongWay,
            Self::CounterFlow { .. } => Kind::CounterFlow,
            Self::Rush { .. } => Kind::Rush,
            Self::Proximity { .. } => Kind::Proximity,
            Self::Vanished => Kind::Vanished,
            Self::Occupancy { .. } => Kind::Occupancy,
            Self::Crossing { .. } => Kind::Crossing,
            Self::Health(ailment) => ailment.kind(),
        }
    }
}

impl Ailment {
    /// The kind as events name it.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Offline => Kind::Offline,
            Self::Frozen => Kind::Frozen,
            Self::Dark(_) => Kind::Dark,
            Self::Blurred(_) => Kind::Blurred,
            Self::Moved(_) => Kind::Moved,
        }
    }
}

impl Length {
    /// In body heights where no ground plane is known.
    pub fn body_heights(self) -> f64 {
        match self {
            Self::Metres(m) => m / BODY_HEIGHT_M,
            Self::BodyHeights(bh) => bh,
        }
    }

    /// In metres.
    pub fn metres(self) -> f64 {
        match self {
            Self::Metres(m) => m,
            Self::BodyHeights(bh) => bh * BODY_HEIGHT_M,
        }
    }
}
