//! What a set of values looks like to a reader: all of them, one, a run, steps or a list.

/// The values of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    All,
    One(u32),
    /// Every value from one to another.
    Run(u32, u32),
    /// Every so many values.
    Steps {
        first: u32,
        last: u32,
        step: u32,
    },
    List(Vec<u32>),
}

impl Shape {
    /// The shape of the bits `min..=max`. Two values are a run or steps too.
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

    /// The length of steps that go on evenly where the field begins anew, and the first value.
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

    /// All values of a field that begins at 0 and has `size` values.
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
