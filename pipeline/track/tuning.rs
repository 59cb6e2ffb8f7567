//! The tracker's constants and where they come from.
//!
//! Units are seconds, body heights (the height of the box) and scores, so that neither the frame rate nor the resolution
//! matters. "Tuned" means: found by random search on `vtest.avi` with the default detector at 640x480 (also thinned to
//! 3.5 and 2.3 pictures a second, with shaken boxes, and at start scores 0.3 to 0.5) and on a simulated dense group
//! (PETS S1L1-1 ground truth with occlusions and noise), then rounded; 15 % more or less
//! of any one, `twin` apart, changes the tuned figure (IDF1 + HOTA/2 less switches and false tracks) there by less than 0.7.
//! MOT17-09 and the public detections of PETS S2L1 were watched for the ones marked so, otherwise only reported.

use super::kalman::MotionModel;

/// How people move, are matched, are believed and are forgotten.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuning {
    /// How a box moves and how well it is measured.
    pub motion: MotionModel,
    /// Least score of a detection that takes part at all: the design's 0.1.
    pub least_score: f32,

    /// Boxes are grown by this share of their size before they are compared (buffered IoU; C-BIoU, Yang et al.,
    /// WACV 2023), so that fast or rarely seen people still overlap with themselves. Tuned.
    pub buffer: f32,
    /// Growth of that share with the time since the last measurement, 1/s. Tuned.
    pub buffer_rate: f32,
    /// Its limit. Tuned; watched on MOT17-09.
    pub buffer_limit: f32,
    /// More growth for someone who was measured only once and whose speed is thus unknown, 1/s: at 2 pictures a second a
    /// walker moves by a box width between pictures.
    pub buffer_fresh: f32,
    /// Power of the ratio of heights that scales the overlap: people do not change their height from one picture to the
    /// next (height-modulated IoU; Hybrid-SORT, Yang et al., AAAI 2024). Tuned.
    pub height_power: f32,
    /// Weight of exp(-d²/2), d the Mahalanobis distance to the prediction (BoostTrack, Stanojević and Todorović, 2024).
    /// Tuned.
    pub distance_weight: f32,
    /// Weight of the detection's score: of two boxes on one person the surer one. Tuned.
    pub score_weight: f32,
    /// Least overlap in the first association. Tuned; watched on MOT17-09.
    pub gate: f32,
    /// What a tentative track needs more, so that it does not take a detection from a confirmed one. Tuned.
    pub tentative_handicap: f32,
    /// What a track needs more for each second since its last measurement. Tuned.
    pub lost_handicap: f32,
    /// A gap, s: after this time without a measurement a person is also looked for where they were last measured, not only
    /// where they should be by now (observation-centric recovery), and once found the filter is led along the straight
    /// line between the two measurements (observation-centric re-update; both OC-SORT, Cao et al., CVPR 2023). Tuned;
    /// watched on MOT17-09.
    pub recover_after: f64,
    /// Share at which an overlap with that place counts.
    pub recover_share: f32,
    /// Least overlap, not buffered, with a detection below the start score (second association; ByteTrack, Zhang et al.,
    /// ECCV 2022). Tuned.
    pub weak_gate: f32,
    /// Weak detections continue a track only for this long after its last strong one, s, else a false track lives on
    /// clutter for ever. Tuned.
    pub weak_time: f64,
    /// A detection is strong from this multiple of the start score up. Tuned.
    pub strong_share: f32,

    /// No track is born of a detection that shares more than this part of the smaller box with a matched one: people do
    /// not appear inside of people, detectors see parts twice. Tuned.
    pub birth_overlap: f32,
    /// A track is confirmed at this sum of (score - start score) over its detections (a sequential test as in Blackman,
    /// "Multiple-target tracking with radar applications", 1986). Tuned for few false tracks.
    pub evidence: f32,
    /// Time that one detection may speak for, s: at higher rates each counts for less, since errors repeat from picture to
    /// picture.
    pub evidence_time: f64,
    /// Power of the part outside of confirmed people's boxes that scales a detection's evidence. Tuned.
    pub evidence_outside: f32,
    /// Evidence lost in [`Self::evidence_time`] without a detection. Tuned.
    pub evidence_miss: f32,
    /// Least age of a confirmed track, s: three pictures at 30 a second, two at 7.
    pub confirm_age: f64,

    /// A confirmed track is forgotten after this time without a measurement, s. Watched on MOT17-09: flat from 1.5 s
    /// (vtest) and from 3 s (MOT17-09) up.
    pub lost: f64,
    /// The same where less than [`Self::inside`] of the predicted box is in the picture: the person has left, and the next
    /// one to enter there is somebody else. Watched on MOT17-09.
    pub left: f64,
    /// See [`Self::left`].
    pub inside: f32,
    /// A tentative track is forgotten after this time without a measurement, s. Tuned.
    pub tentative_lost: f64,
    /// Of two tracks that overlap by more, the one that is unmatched or tentative goes. Flat from 0.85 up.
    pub twin: f32,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            motion: MotionModel {
                acceleration: 0.4,
                growth: 0.035,
                place_noise: 0.07,
                size_noise: 0.06,
                start_speed: 0.9,
                decay: 7.0,
                doubt: 2.0,
            },
            least_score: 0.1,
            buffer: 0.15,
            buffer_rate: 0.3,
            buffer_limit: 0.4,
            buffer_fresh: 0.8,
            height_power: 0.5,
            distance_weight: 0.1,
            score_weight: 0.25,
            gate: 0.2,
            tentative_handicap: 0.075,
            lost_handicap: 0.05,
            recover_after: 0.3,
            recover_share: 0.8,
            weak_gate: 0.4,
            weak_time: 0.7,
            strong_share: 1.5,
            birth_overlap: 0.45,
            evidence: 0.6,
            evidence_time: 0.14,
            evidence_outside: 0.5,
            evidence_miss: 0.25,
            confirm_age: 0.1,
            lost: 3.0,
            left: 0.3,
            inside: 0.5,
            tentative_lost: 1.0,
            twin: 0.85,
        }
    }
}
