//! Into which elements does a reply fall, byte by byte?

use hectare_resp::Skimmer;

/// A reply of several elements: its first line, and the bytes of each of as many elements as that line
/// announces. `None` for any other.
pub(crate) fn elements(reply: &[u8]) -> Option<(&[u8], Vec<&[u8]>)> {
    let width = match reply.first()? {
        b'*' => 1,
        b'%' => 2,
        _ => return None,
    };
    let head_bytes = reply.iter().position(|&byte| byte == b'\n')? + 1;
    let (head, mut rest) = reply.split_at(head_bytes);
    let mut elements = Vec::new();
    while !rest.is_empty() {
        let element = Skimmer::default().skim(rest).ok()??;
        let (bytes, after) = rest.split_at(element.consumed);
        elements.push(bytes);
        rest = after;
    }
    let announced: usize = std::str::from_utf8(&head[1..]).ok()?.trim_end().parse().ok()?;
    (elements.len() == width * announced).then_some((head, elements))
}

/// A reply's elements two by two, whether they stand in pairs (RESP3) or in a row (RESP2).
pub(crate) fn pairs<'r>(elements: &[&'r [u8]]) -> Option<Vec<(&'r [u8], &'r [u8])>> {
    if elements.iter().all(|element| element.starts_with(b"*2\r\n")) {
        return elements
            .iter()
            .map(|element| match self::elements(element)?.1[..] {
                [first, second] => Some((first, second)),
                _ => None,
            })
            .collect();
    }
    let chunks = elements.chunks_exact(2);
    chunks.remainder().is_empty().then(|| chunks.map(|pair| (pair[0], pair[1])).collect())
}

/// The integer that a reply is.
pub(crate) fn integer(reply: &[u8]) -> Option<i64> {
    let digits = reply.strip_prefix(b":")?.strip_suffix(b"\r\n")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The bytes of a reply that is a string.
pub(crate) fn string(reply: &[u8]) -> Option<&[u8]> {
    let head_bytes = reply.iter().position(|&byte| byte == b'\n')? + 1;
    reply.strip_prefix(b"$")?;
    reply[head_bytes..].strip_suffix(b"\r\n")
}
