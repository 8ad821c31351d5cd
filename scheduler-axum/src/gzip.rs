//! Compressed bodies, for clients that accept them.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;
use miniz_oxide::deflate::compress_to_vec;

/// Shorter bodies are sent as they are: they fit into one packet either way.
const LEAST: usize = 1_024;

/// Good and fast, for bodies that are compressed per request.
const QUICK: u8 = 3;
/// As small as possible, for bodies that are compressed once.
const SMALLEST: u8 = 9;

/// Compresses an answer; `None` if it is too short to benefit.
pub(crate) fn answer(bytes: &[u8]) -> Option<Vec<u8>> {
    (bytes.len() >= LEAST).then(|| compress(bytes, QUICK))
}

/// Compresses a stored file; `None` if it is too short to benefit.
pub(crate) fn file(bytes: &[u8]) -> Option<Vec<u8>> {
    (bytes.len() >= LEAST).then(|| compress(bytes, SMALLEST))
}

/// Writes the format of RFC 1952.
fn compress(bytes: &[u8], level: u8) -> Vec<u8> {
    const DEFLATE: u8 = 8;
    const UNKNOWN_SYSTEM: u8 = 255;
    let mut gzip = vec![0x1f, 0x8b, DEFLATE, 0, 0, 0, 0, 0, 0, UNKNOWN_SYSTEM];
    gzip.extend(compress_to_vec(bytes, level));
    gzip.extend(checksum(bytes).to_le_bytes());
    // The length modulo 2³², as the format requires.
    let length = u32::try_from(bytes.len() & 0xffff_ffff).unwrap_or_default();
    gzip.extend(length.to_le_bytes());
    gzip
}

/// Returns the CRC-32 of RFC 1952.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        let index = (crc ^ u32::from(*byte)) & 0xff;
        let entry = TABLE.get(index as usize).copied().unwrap_or_default();
        entry ^ (crc >> 8)
    };
    !bytes.iter().fold(u32::MAX, step)
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0_u32;
    while index < 256 {
        let mut entry = index;
        let mut bit = 0;
        while bit < 8 {
            entry = (entry >> 1) ^ (0xedb8_8320 * (entry & 1));
            bit += 1;
        }
        table[index as usize] = entry;
        index += 1;
    }
    table
};

/// Returns `true` if the sender of these headers accepts gzip.
pub(crate) fn is_accepted(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let mut by_star = false;
    for coding in codings {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().trim_start_matches(['q', 'Q', '=']);
        let is_taken = weight
            .trim()
            .parse::<f32>()
            .is_ok_and(|weight| weight > 0.0);
        match name.trim() {
            name if name.eq_ignore_ascii_case("gzip") => return is_taken,
            "*" => by_star = is_taken,
            _ => {}
        }
    }
    by_star
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_is_that_of_the_format() {
        assert_eq!(checksum(b""), 0);
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn compressed_bytes_have_the_frame_of_the_format() {
        let bytes = b"scheduler ".repeat(200);
        for gzip in [answer(&bytes).unwrap(), file(&bytes).unwrap()] {
            assert!(gzip.len() < 100, "{}", gzip.len());
            assert_eq!(gzip[..3], [0x1f, 0x8b, 8]);
            let (body, frame) = gzip[10..].split_at(gzip.len() - 18);
            let again = miniz_oxide::inflate::decompress_to_vec(body).unwrap();
            assert_eq!(again, bytes);
            assert_eq!(frame[..4], checksum(&bytes).to_le_bytes());
            assert_eq!(frame[4..], 2_000_u32.to_le_bytes());
        }
        assert_eq!(answer(b"short"), None);
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for (accepted, expected) in [
            ("gzip", true),
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("*", true),
            ("br, *;q=0.1", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000, *", false),
            ("identity, *;q=0", false),
            ("identity", false),
            ("", false),
            ("x-gzipped", false),
        ] {
            let headers = [(ACCEPT_ENCODING, accepted.parse().unwrap())];
            assert_eq!(
                is_accepted(&HeaderMap::from_iter(headers)),
                expected,
                "{accepted}"
            );
        }
        assert!(!is_accepted(&HeaderMap::new()));
    }
}
