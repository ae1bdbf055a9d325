//! What is wrong with the consumers' functions.

use super::facts::{Facts, Function};
use crate::aws::Names;
use crate::aws::arn::is_function;
use crate::aws::names::ConsumerNames;
use crate::finding::Finding;
use crate::finding::Severity::{Error, Note, Warning};

/// What is wrong with them.
pub(super) fn judge(facts: &Facts, names: &Names) -> Vec<Finding> {
    let one = |consumer: &ConsumerNames| match facts.functions.get(&consumer.name) {
        Some(Ok(Some(function))) => there(consumer, function, facts),
        Some(Ok(None)) => vec![Finding::new(
            Error,
            "function.missing",
            &consumer.function,
            format!("The function of the consumer {} is not there.", consumer.name),
            format!("GetFunctionConfiguration: there is no function {}.", consumer.function),
            "Deploy it; or name it in aws.consumers, if it is called otherwise.",
        )],
        Some(Err(failed)) => failed.clone(),
        None => Vec::new(),
    };
    names.consumers.iter().flat_map(one).collect()
}

fn there(consumer: &ConsumerNames, function: &Function, facts: &Facts) -> Vec<Finding> {
    let name = &consumer.function;
    let mut found = Vec::new();
    let mut targets = facts.rules.iter().flatten().flat_map(|rule| &rule.targets);
    if targets.any(|target| is_function(&target.arn, name)) {
        if !function.keeps {
            found.push(Finding::new(
                Error,
                "function.loses",
                name,
                "Events that this function fails for are lost.",
                "A rule invokes it directly, and it has neither a dead-letter queue nor a destination for failures.",
                "Give it a destination for failures: the dead-letter queue.",
            ));
        }
        if function.retries > 0 {
            found.push(Finding::new(
                Note,
                "function.slow_retries",
                name,
                "An event that fails once is late: Lambda tries again after one minute, then two, and the limit is 30 seconds.",
                format!("A rule invokes it directly, with {} retries.", function.retries),
                "Put a queue between the rule and the function, as deploy/cutover.yaml does.",
            ));
        }
    }
    for feed in &function.feeds {
        if !feed.alone {
            found.push(Finding::new(
                Warning,
                "function.whole_batches",
                format!("{name}, {}", feed.queue),
                "One message that fails has its whole batch come again, and in the end given up with it.",
                "The event source mapping doesn't report failed messages alone.",
                "Set FunctionResponseTypes to ReportBatchItemFailures, if the function answers with them. Cutover's do.",
            ));
        }
        if let Some(queue) = facts.queue(&feed.queue).filter(|queue| queue.visibility < function.timeout) {
            found.push(Finding::new(
                Warning,
                "queue.visibility",
                &feed.queue,
                "A message may be handed out again while the function still works on it.",
                format!(
                    "Its visibility timeout is {} s, the function's timeout {} s.",
                    queue.visibility, function.timeout
                ),
                "Set the visibility timeout to the function's timeout at least.",
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::examine::facts::{Feed, Queue, Rule, Target};

    fn kinds(function: Function, direct: bool) -> Vec<String> {
        let names = Names::of("p");
        let audit = names.consumers.iter().find(|c| c.name == "audit").expect("audit");
        let target = Target {
            arn: format!("arn:aws:lambda:r:1:function:{}", audit.function),
            dead_letters: None,
        };
        let mut facts = Facts {
            rules: Ok(vec![Rule {
                targets: if direct { vec![target] } else { Vec::new() },
                ..Rule::default()
            }]),
            ..Facts::default()
        };
        let queue = Queue {
            visibility: 30,
            ..Queue::default()
        };
        facts.queues.insert(audit.queue.clone(), Ok(Some(queue)));
        facts.functions.insert("audit".to_owned(), Ok(Some(function)));
        judge(&facts, &names).into_iter().map(|f| f.kind).collect()
    }

    #[test]
    fn a_function_is_judged_by_how_it_is_run() {
        let fed = |timeout, alone| Function {
            timeout,
            feeds: vec![Feed {
                queue: "p-audit".to_owned(),
                alone,
            }],
            ..Function::default()
        };
        assert_eq!(kinds(fed(30, true), false), [""; 0]);
        assert_eq!(kinds(fed(31, false), false), ["function.whole_batches", "queue.visibility"]);
        let invoked = |keeps, retries| Function {
            keeps,
            retries,
            ..Function::default()
        };
        assert_eq!(kinds(invoked(true, 0), true), [""; 0]);
        assert_eq!(kinds(invoked(false, 2), true), ["function.loses", "function.slow_retries"]);
        assert_eq!(kinds(invoked(false, 2), false), [""; 0], "nothing invokes it");
    }
}
