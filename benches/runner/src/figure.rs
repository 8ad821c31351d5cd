//! Combines the figures of several runs: the median and the spread.

/// Returns the median, or `None` if there are no values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(values[last / 2], values[last.div_ceil(2)]))
}

/// Returns the median, followed by the smallest and the largest value in small print.
pub fn spread(values: &[f64]) -> Option<String> {
    let middle = short(median(values)?);
    let smallest = short(values.iter().copied().fold(f64::INFINITY, f64::min));
    let largest = short(values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    if smallest == largest {
        return Some(middle);
    }
    Some(format!("{middle} <sub>{smallest}–{largest}</sub>"))
}

/// Formats a value with three significant digits, and commas between thousands.
pub fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor();
    let unit = 10_f64.powf(magnitude - 2.0);
    let rounded = (value / unit).round() * unit;
    if rounded.abs() < 99.95 {
        let digits = (2.0 - rounded.abs().log10().floor()).clamp(0.0, 4.0) as usize;
        let text = format!("{rounded:.digits$}");
        let is_zero = text
            .bytes()
            .all(|byte| !byte.is_ascii_digit() || byte == b'0');
        return if is_zero { "0".to_owned() } else { text };
    }
    grouped(rounded.round() as i64)
}

/// Formats a value with all digits, and commas between thousands.
pub fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::from(if value < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 3.0, 4.0]), Some(3.5));
    }

    #[test]
    fn the_spread_is_small_and_left_out_where_there_is_none() {
        assert_eq!(
            spread(&[1.5, 1.25, 2.0]).as_deref(),
            Some("1.50 <sub>1.25–2.00</sub>")
        );
        assert_eq!(spread(&[1.5, 1.5001]).as_deref(), Some("1.50"));
        assert_eq!(spread(&[]), None);
    }

    #[test]
    fn three_digits_count() {
        for (value, expected) in [
            (0.0, "0"),
            (0.001_23, "0.0012"),
            (0.000_001, "0"),
            (1.0, "1.00"),
            (9.996, "10.0"),
            (12.345, "12.3"),
            (99.99, "100"),
            (999.6, "1,000"),
            (1_234_567.0, "1,230,000"),
            (-0.25, "-0.250"),
            (-1_500.0, "-1,500"),
        ] {
            assert_eq!(short(value), expected, "{value}");
        }
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(-999), "-999");
    }
}
