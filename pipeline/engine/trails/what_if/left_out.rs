//! What trails cannot show.

use serde::Serialize;

use crate::config::plan::{Camera, Condition, GroundPlane, Incident, MaskKind, Motion, RulePlace};
use crate::types::{Localized, Span};

/// Something that the answer says nothing about, or not all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The rule, where it is about one.
    pub rule: Option<String>,
    /// Why.
    pub why: Localized,
}

fn note(rule: Option<&str>, zh: &str, en: &str) -> LeftOut {
    LeftOut { rule: rule.map(str::to_owned), why: Localized { zh: zh.to_owned(), en: en.to_owned() } }
}

/// Of a question about a camera's changed rules; `now` is how it is.
/// `coarse`: not every picture is looked at.
pub fn of(camera: &Camera, now: &Camera, coarse: bool) -> Vec<LeftOut> {
    let mut notes = vec![
        note(
            None,
            "摄像机健康告警（离线、画面冻结、过暗、模糊、移位）需要画面，轨迹中没有",
            "alerts about the camera itself (offline, frozen, dark, blurred, moved) need pictures, which trails have not",
        ),
        note(
            None,
            "全场人数规则涉及多个摄像机，不在单个摄像机的试算之内",
            "rules about the whole site count at several cameras and are not part of one camera's trial",
        ),
    ];
    if coarse {
        notes.push(note(
            None,
            "时段超过 6 小时，每秒只按约两帧画面计算：勉强达到条件的告警可能缺少或多出；6 小时以内逐帧计算",
            "more than six hours are judged by about two pictures a second: alerts whose condition was only just met may be missing or made up; up to six hours every picture counts",
        ));
    }
    if camera.motion != Motion::Fixed {
        notes.push(note(
            None,
            "轨迹不含摄像机自身的运动：所有区域按绘制位置计算，移动中的结果不可靠",
            "trails do not know how the camera itself moved: zones are taken to lie where they were drawn, and what is raised while it moved means nothing",
        ));
    }
    let learns = matches!(camera.ground.as_ref().map(|g| &g.plane), Some(GroundPlane::Learnt { .. }));
    if learns {
        notes.push(note(
            None,
            "长度按摄像机目前学到的地面计算，不是当时的地面",
            "lengths are measured by the ground that the camera has learnt by now, not by that of then",
        ));
    }
    // Of those about the camera itself all is said above.
    for rule in camera.rules.iter().filter(|rule| rule.place != RulePlace::Camera) {
        let Incident { gap, .. } = &rule.incident;
        if rule.condition == Condition::Density && camera.ground.is_none() {
            notes.push(note(
                Some(&rule.id),
                "未标定地面，密度规则没有结果",
                "without a ground plane a density rule says nothing",
            ));
        } else if coarse && *gap < Span::from_secs(1) {
            notes.push(note(
                Some(&rule.id),
                "允许中断不足 1 秒：轨迹略去了短于半秒的变化，次数可能比实际少",
                "its gap is below a second: what lasts for less than half a second is left out of trails, so that live it may start more often",
            ));
        }
    }
    let ignores = |c: &Camera| -> Vec<_> {
        c.masks.iter().filter(|m| m.kind == MaskKind::Ignore).map(|m| m.polygon.clone()).collect()
    };
    let (old, new) = (ignores(now), ignores(camera));
    if old.iter().any(|mask| !new.contains(mask)) || camera.detect != now.detect {
        notes.push(note(
            None,
            "屏蔽区缩小或检测设置改变后会看到的人，不在已存的轨迹中",
            "people who would be seen only with fewer masks or with other settings of detection are not in what is stored",
        ));
    }
    notes
}
