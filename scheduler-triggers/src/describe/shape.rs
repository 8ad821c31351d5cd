//! How a set of values appears to a reader: all of them, one, a run, steps or a list.

use crate::describe::wording::{LONGEST_LIST, joined};

/// The values of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    All,
    One(u32),
    /// Every value from one to another.
    Run(u32, u32),
    /// Evenly spaced values.
    Steps {
        first: u32,
        last: u32,
        step: u32,
    },
    List(Vec<u32>),
}

impl Shape {
    /// Returns the shape of the bits `min..=max`. Two values are also a run or steps.
    pub(crate) fn of(bits: u64, min: u32, max: u32) -> Self {
        Self::of_values((min..=max).filter(|value| bits >> value & 1 == 1), min, max)
    }

    pub(crate) fn of_values(values: impl Iterator<Item = u32>, min: u32, max: u32) -> Self {
        let values: Vec<u32> = values.collect();
        match *values.as_slice() {
            [only] => Self::One(only),
            [first, second, .., last] | [first, second @ last] if even(&values) => {
                let step = second - first;
                if step > 1 {
                    Self::Steps { first, last, step }
                } else if (first, last) == (min, max) {
                    Self::All
                } else {
                    Self::Run(first, last)
                }
            }
            _ => Self::List(values),
        }
    }

    /// Returns the length of steps that stay even when the field starts over, and the first value.
    pub(crate) fn even_steps(&self, size: u32) -> Option<(u32, u32)> {
        match *self {
            Self::All => Some((1, 0)),
            Self::Steps { first, last, step }
                if size.is_multiple_of(step) && first < step && last + step >= size =>
            {
                Some((step, first))
            }
            _ => None,
        }
    }

    /// Returns `true` for two values whose distance does not divide the size of the field.
    pub(crate) fn is_pair(&self, size: u32) -> bool {
        matches!(*self, Self::Steps { first, last, step } if first + step == last && !size.is_multiple_of(step))
    }

    /// Returns the values as runs of three or more and as single values, in order. With `round`, the last run continues
    /// with the first one: the hours 22 to 2.
    pub(crate) fn runs(&self, size: u32, round: Option<(u32, u32)>) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for value in self.values(size) {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == value => *last = value,
                _ => runs.push((value, value)),
            }
        }
        if let (Some((min, max)), [(first, end), .., (start, last)]) = (round, runs.as_slice())
            && (*first, *last) == (min, max)
        {
            let joined = (*start, *end);
            runs.pop();
            runs.remove(0);
            runs.push(joined);
        }
        runs.into_iter()
            .flat_map(|(first, last)| match last.checked_sub(first) {
                Some(1) => vec![(first, first), (last, last)],
                _ => vec![(first, last)],
            })
            .collect()
    }

    /// Returns all values of a field that begins at 0 and has `size` values.
    pub(crate) fn values(&self, size: u32) -> Vec<u32> {
        match *self {
            Self::All => (0..size).collect(),
            Self::One(only) => vec![only],
            Self::Run(first, last) => (first..=last).collect(),
            Self::Steps { first, last, step } => (first..=last).step_by(step as usize).collect(),
            Self::List(ref values) => values.clone(),
        }
    }
}

fn even(values: &[u32]) -> bool {
    let mut steps = values.windows(2).map(|pair| match pair {
        [a, b] => b - a,
        _ => 0,
    });
    let first = steps.next();
    steps.all(|step| Some(step) == first)
}

/// Returns `1`, `7 to 9`, with each value formatted by `word`; `None` if there are too many.
pub(crate) fn listed(runs: &[(u32, u32)], word: impl Fn(u32) -> String) -> Option<String> {
    let parts: Vec<_> = runs
        .iter()
        .map(|(first, last)| {
            if first == last {
                word(*first)
            } else {
                format!("{} to {}", word(*first), word(*last))
            }
        })
        .collect();
    (!parts.is_empty() && parts.len() <= LONGEST_LIST).then(|| joined(&parts, "and"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_of_three_values_or_more_and_may_go_round() {
        let runs = |values: &[u32], round| {
            let shape = Shape::of_values(values.iter().copied(), 0, 23);
            shape.runs(24, round)
        };
        assert_eq!(
            runs(&[1, 2, 4, 7, 8, 9], None),
            [(1, 1), (2, 2), (4, 4), (7, 9)]
        );
        let night = [0, 1, 2, 22, 23];
        assert_eq!(runs(&night, None), [(0, 2), (22, 22), (23, 23)]);
        assert_eq!(runs(&night, Some((0, 23))), [(22, 2)]);
        assert_eq!(runs(&[0, 23], Some((0, 23))), [(23, 0)]);
        assert_eq!(runs(&[0, 1, 5], Some((0, 23))), [(0, 0), (1, 1), (5, 5)]);
    }
}
