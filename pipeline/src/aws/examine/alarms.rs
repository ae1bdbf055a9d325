//! What is wrong with the alarms.

use super::facts::Alarm;
use crate::finding::Finding;
use crate::finding::Severity::{Note, Warning};

/// What is wrong with those of a deployment.
pub(super) fn judge(alarms: &[Alarm], prefix: &str) -> Vec<Finding> {
    if alarms.is_empty() {
        return vec![Finding::new(
            Warning,
            "alarms.none",
            prefix,
            "No alarm watches this deployment: what goes wrong is seen only by those who look.",
            format!("There is no alarm whose name begins with {prefix}."),
            "deploy/cutover.yaml has one for each success criterion.",
        )];
    }
    let listed = |of: &dyn Fn(&Alarm) -> bool| {
        let names: Vec<&str> = alarms.iter().filter(|alarm| of(alarm)).map(|alarm| alarm.name.as_str()).collect();
        (!names.is_empty()).then(|| format!("{} of {}: {}.", names.len(), alarms.len(), names.join(", ")))
    };
    let off = listed(&|alarm| !alarm.on).map(|evidence| {
        Finding::new(
            Warning,
            "alarms.off",
            prefix,
            "Alarms are switched off.",
            evidence,
            "Enable their actions: aws cloudwatch enable-alarm-actions --alarm-names …",
        )
    });
    let unheard = listed(&|alarm| alarm.on && !alarm.heard).map(|evidence| {
        Finding::new(
            Note,
            "alarms.unheard",
            prefix,
            "Alarms tell nobody.",
            evidence,
            "Give them an action, such as a topic that on-call people have subscribed to: AlarmTopic of deploy/cutover.yaml.",
        )
    });
    // Of a criterion that is unknown nothing is told; of all at once, nobody tells.
    let criteria = || alarms.iter().filter_map(|alarm| alarm.told);
    let untold = (criteria().count() > 0 && criteria().all(|told| !told)).then(|| {
        Finding::new(
            Note,
            "alarms.untold",
            prefix,
            "The criteria's alarms hear nothing: nobody tells CloudWatch how the criteria stand, or none of them is known yet.",
            format!("All {} are in the state INSUFFICIENT_DATA.", criteria().count()),
            "Run a dashboard with aws.metrics.alarms = true and the operator's policy: with the template, Role=operator.",
        )
    });
    off.into_iter().chain(unheard).chain(untold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_are_there_on_and_heard() {
        let alarm = |on, heard| Alarm {
            name: "p-a".to_owned(),
            on,
            heard,
            told: None,
        };
        let kinds = |alarms: &[Alarm]| judge(alarms, "p").into_iter().map(|f| f.kind).collect::<Vec<_>>();
        assert_eq!(kinds(&[]), ["alarms.none"]);
        assert_eq!(kinds(&[alarm(true, true)]), [""; 0]);
        assert_eq!(
            kinds(&[alarm(true, true), alarm(false, true), alarm(true, false)]),
            ["alarms.off", "alarms.unheard"]
        );
        let criterion = |told| Alarm {
            told: Some(told),
            ..alarm(true, true)
        };
        assert_eq!(kinds(&[alarm(true, true), criterion(false), criterion(false)]), ["alarms.untold"]);
        assert_eq!(kinds(&[criterion(false), criterion(true)]), [""; 0], "one of them may be unknown");
    }
}
