//! How is a text written so that JSON reads back the same text?

/// Appends a JSON string whose content is what `write` appends, which must be UTF-8.
pub(crate) fn write_string(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    let start = out.len();
    write(out);
    if out[start..].iter().any(|&byte| must_be_escaped(byte)) {
        let plain = out.split_off(start);
        for byte in plain {
            write_byte(out, byte);
        }
    }
    out.push(b'"');
}

/// How many bytes a text takes as the content of a JSON string.
pub(crate) fn escaped_bytes(text: &str) -> u64 {
    let mut out = Vec::new();
    write_string(&mut out, |bytes| bytes.extend_from_slice(text.as_bytes()));
    out.len() as u64 - 2
}

fn must_be_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn write_byte(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0..0x20 => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
        _ => out.push(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn json_reads_back_the_same_text(text in any::<String>(), control in "[\\x00-\\x22\\\\]*") {
            for text in [text, control] {
                let mut out = Vec::new();
                write_string(&mut out, |bytes| bytes.extend_from_slice(text.as_bytes()));
                prop_assert_eq!(&serde_json::from_slice::<String>(&out).unwrap(), &text);
                prop_assert_eq!(escaped_bytes(&text) + 2, out.len() as u64);
            }
        }
    }
}
