//! A line's samples as what is drawn of them: a gap is a break, a lone value a dot, an unfinished step a tail.

use super::downsample::Sample;

/// A step and its value.
pub type Point = (usize, f64);

/// One mark on the paper.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Two or more values of complete steps without a gap between them.
    Run(Vec<Point>),
    /// A value without neighbours.
    Dot(Point),
    /// The value of the step that is still filling, and the one before it unless there is a gap.
    Tail(Option<Point>, Point),
}

/// Splits samples at gaps. `partial` is the step that is still filling.
#[must_use]
pub fn pieces(samples: &[Sample], partial: Option<usize>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut run: Vec<Point> = Vec::new();
    for sample in samples {
        let point = (sample.index, sample.value);
        if !sample.joined {
            close(&mut run, &mut pieces);
        }
        if partial == Some(sample.index) {
            let before = run.last().copied();
            close(&mut run, &mut pieces);
            pieces.push(Piece::Tail(before, point));
        } else {
            run.push(point);
        }
    }
    close(&mut run, &mut pieces);
    pieces
}

fn close(run: &mut Vec<Point>, pieces: &mut Vec<Piece>) {
    match run.as_slice() {
        [] => {}
        [lone] => pieces.push(Piece::Dot(*lone)),
        _ => pieces.push(Piece::Run(std::mem::take(run))),
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::super::downsample::downsample;
    use super::*;

    #[test]
    fn breaks_at_gaps_and_marks_the_unfinished() {
        use Piece::{Dot, Run, Tail};
        let (a, b, c) = ((0, 1.0), (1, 2.0), (2, 3.0));
        type Case<'a> = (&'a [Option<f64>], Option<usize>, Vec<Piece>);
        let cases: [Case<'_>; 7] = [
            (&[], None, vec![]),
            (&[Some(1.0), Some(2.0), Some(3.0)], None, vec![Run(vec![a, b, c])]),
            (&[Some(1.0), None, Some(3.0)], None, vec![Dot(a), Dot(c)]),
            (&[Some(1.0), Some(2.0), Some(3.0)], Some(2), vec![Run(vec![a, b]), Tail(Some(b), c)]),
            (&[Some(1.0), None, Some(3.0)], Some(2), vec![Dot(a), Tail(None, c)]),
            (&[None, Some(2.0), Some(3.0)], Some(2), vec![Dot(b), Tail(Some(b), c)]),
            (&[Some(1.0)], Some(0), vec![Tail(None, a)]),
        ];
        for (values, partial, expected) in cases {
            assert_eq!(pieces(&downsample(values, 100), partial), expected, "{values:?}");
        }
    }
}
