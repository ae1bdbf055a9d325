//! What a page does to those who see, hear or point differently: axe-core's rules for WCAG 2.2, levels A and AA.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use super::Browser;

/// <https://github.com/dequelabs/axe-core>, as `package-lock.json` names it.
static AXE: LazyLock<String> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../node_modules/axe-core/axe.min.js");
    fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}; `make setup` brings it", file.display()))
});

/// One line for each element that breaks a rule: the rule, the element, what is the matter.
const CHECK: &str = "
    const run = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] };
    return axe.run(document, { runOnly: run, resultTypes: ['violations'] }).then(found => found.violations.flatMap(rule =>
        rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 160)}: ${node.failureSummary.replace(/\\s+/g, ' ')}`)));";

impl Browser {
    /// What on the page breaks WCAG 2.2 AA, as far as rules can tell, on the screen as it is.
    ///
    /// # Panics
    /// The rules can't be run.
    pub async fn barriers(&self) -> Vec<String> {
        if self.run("return typeof axe === 'undefined'", vec![]).await == true {
            self.run(&AXE, vec![]).await;
        }
        let found = self.run(CHECK, vec![]).await;
        let found = found.as_array().expect("a list of violations");
        found.iter().map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
    }
}
