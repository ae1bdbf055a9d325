//! Layers upon each other.

use super::spec::{ChartSpec, Shape};

/// Where each line is drawn, value by value: of layers, their upper edge.
///
/// Above a layer whose value is unknown nothing is drawn at that step: it would stand too low. A layer that has no
/// value anywhere takes no part, so that one silent consumer doesn't blank the others.
#[must_use]
pub fn edges(spec: &ChartSpec) -> Vec<Vec<Option<f64>>> {
    match spec.shape {
        Shape::Lines => spec.lines.iter().map(|l| l.values.clone()).collect(),
        Shape::Stacked => {
            let mut floor = vec![Some(0.0); spec.steps];
            spec.lines
                .iter()
                .map(|line| {
                    if !line.is_layer() {
                        return line.values.clone();
                    }
                    for (index, below) in floor.iter_mut().enumerate() {
                        *below = below.zip(line.values.get(index).copied().flatten()).map(|(b, v)| b + v);
                    }
                    floor.clone()
                })
                .collect()
        }
    }
}
