//! AMF0, the encoding of RTMP commands (Adobe, *Action Message Format -- AMF 0*, 2007).

use super::Malformed;

/// Deepest nesting of values that is read.
pub const MAX_DEPTH: usize = 16;

/// Most values (names not counted) that are read from one command.
pub const MAX_VALUES: usize = 1024;

/// A value. Object properties keep the order in which they were sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// §2.2
    Number(f64),
    /// §2.3
    Boolean(bool),
    /// §2.4 and §2.14. Bytes that are not UTF-8 arrive as U+FFFD.
    String(String),
    /// §2.5 and, without its class name, §2.18.
    Object(Vec<(String, Value)>),
    /// §2.7
    Null,
    /// §2.8 and §2.15
    Undefined,
    /// §2.9: the index of an object sent before.
    Reference(u16),
    /// §2.10. Its count is a hint and not believed.
    EcmaArray(Vec<(String, Value)>),
    /// §2.12
    StrictArray(Vec<Value>),
    /// §2.13: milliseconds since 1970-01-01 UTC.
    Date(f64),
    /// §2.17
    Xml(String),
}

impl Value {
    /// A string value.
    pub fn text(text: &str) -> Self {
        Self::String(text.to_owned())
    }

    /// The text, if this is a string.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The property of that name, if this is an object or ECMA array that has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Object(properties) | Self::EcmaArray(properties) => {
                properties.iter().find(|(n, _)| n == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Appends the encoding of this value. A property name longer than 65,535 bytes is cut.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => {
                out.push(marker::NUMBER);
                out.extend(number.to_be_bytes());
            }
            Self::Boolean(value) => out.extend([marker::BOOLEAN, u8::from(*value)]),
            Self::String(text) if u16::try_from(text.len()).is_ok() => {
                out.push(marker::STRING);
                put_name(text, out);
            }
            Self::String(text) => put_long(marker::LONG_STRING, text, out),
            Self::Object(properties) => {
                out.push(marker::OBJECT);
                put_properties(properties, out);
            }
            Self::Null => out.push(marker::NULL),
            Self::Undefined => out.push(marker::UNDEFINED),
            Self::Reference(index) => {
                out.push(marker::REFERENCE);
                out.extend(index.to_be_bytes());
            }
            Self::EcmaArray(properties) => {
                out.push(marker::ECMA_ARRAY);
                out.extend(count(properties.len()));
                put_properties(properties, out);
            }
            Self::StrictArray(values) => {
                out.push(marker::STRICT_ARRAY);
                out.extend(count(values.len()));
                for value in values {
                    value.encode(out);
                }
            }
            Self::Date(milliseconds) => {
                out.push(marker::DATE);
                out.extend(milliseconds.to_be_bytes());
                out.extend([0, 0]); // time zone: reserved, zero
            }
            Self::Xml(text) => put_long(marker::XML, text, out),
        }
    }
}

/// Reads all values of `bytes`.
pub fn decode(bytes: &[u8]) -> Result<Vec<Value>, Malformed> {
    let mut decoder = Decoder { rest: bytes, values: 0 };
    let mut values = Vec::new();
    while !decoder.rest.is_empty() {
        values.push(decoder.value(0)?);
    }
    Ok(values)
}

mod marker {
    pub const NUMBER: u8 = 0x00;
    pub const BOOLEAN: u8 = 0x01;
    pub const STRING: u8 = 0x02;
    pub const OBJECT: u8 = 0x03;
    pub const NULL: u8 = 0x05;
    pub const UNDEFINED: u8 = 0x06;
    pub const REFERENCE: u8 = 0x07;
    pub const ECMA_ARRAY: u8 = 0x08;
    pub const OBJECT_END: u8 = 0x09;
    pub const STRICT_ARRAY: u8 = 0x0A;
    pub const DATE: u8 = 0x0B;
    pub const LONG_STRING: u8 = 0x0C;
    pub const UNSUPPORTED: u8 = 0x0D;
    pub const XML: u8 = 0x0F;
    pub const TYPED_OBJECT: u8 = 0x10;
}

/// An element count. More than `u32::MAX` elements cannot be built here.
fn count(elements: usize) -> [u8; 4] {
    u32::try_from(elements).unwrap_or(u32::MAX).to_be_bytes()
}

fn put_name(name: &str, out: &mut Vec<u8>) {
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    out.extend(length.to_be_bytes());
    out.extend(name.bytes().take(usize::from(length)));
}

fn put_long(marker: u8, text: &str, out: &mut Vec<u8>) {
    out.push(marker);
    out.extend(count(text.len()));
    out.extend(text.as_bytes());
}

fn put_properties(properties: &[(String, Value)], out: &mut Vec<u8>) {
    for (name, value) in properties {
        put_name(name, out);
        value.encode(out);
    }
    out.extend([0, 0, marker::OBJECT_END]);
}

struct Decoder<'a> {
    rest: &'a [u8],
    values: usize,
}

impl Decoder<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, Malformed> {
        if depth >= MAX_DEPTH {
            return Err(Malformed::TooDeep);
        }
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(Malformed::TooMany);
        }
        let [marker] = self.array()?;
        Ok(match marker {
            marker::NUMBER => Value::Number(f64::from_be_bytes(self.array()?)),
            marker::BOOLEAN => Value::Boolean(self.array()? != [0]),
            marker::STRING => Value::String(self.short_text()?),
            marker::OBJECT => Value::Object(self.properties(depth)?),
            marker::NULL => Value::Null,
            marker::UNDEFINED | marker::UNSUPPORTED => Value::Undefined,
            marker::REFERENCE => Value::Reference(u16::from_be_bytes(self.array()?)),
            marker::ECMA_ARRAY => {
                self.array::<4>()?;
                Value::EcmaArray(self.properties(depth)?)
            }
            marker::STRICT_ARRAY => Value::StrictArray(self.elements(depth)?),
            marker::DATE => {
                let milliseconds = f64::from_be_bytes(self.array()?);
                self.array::<2>()?;
                Value::Date(milliseconds)
            }
            marker::LONG_STRING => Value::String(self.long_text()?),
            marker::XML => Value::Xml(self.long_text()?),
            marker::TYPED_OBJECT => {
                self.short_text()?;
                Value::Object(self.properties(depth)?)
            }
            other => return Err(Malformed::UnknownMarker(other)),
        })
    }

    fn properties(&mut self, depth: usize) -> Result<Vec<(String, Value)>, Malformed> {
        let mut properties = Vec::new();
        loop {
            let name = self.short_text()?;
            if name.is_empty() && self.rest.first() == Some(&marker::OBJECT_END) {
                self.take(1)?;
                return Ok(properties);
            }
            properties.push((name, self.value(depth + 1)?));
        }
    }

    fn elements(&mut self, depth: usize) -> Result<Vec<Value>, Malformed> {
        let count = u32::from_be_bytes(self.array()?);
        let mut elements = Vec::new(); // grows with what is there, not with what `count` claims
        for _ in 0..count {
            elements.push(self.value(depth + 1)?);
        }
        Ok(elements)
    }

    fn short_text(&mut self) -> Result<String, Malformed> {
        let length = u16::from_be_bytes(self.array()?);
        self.text(usize::from(length))
    }

    fn long_text(&mut self) -> Result<String, Malformed> {
        let length = u32::from_be_bytes(self.array()?);
        self.text(usize::try_from(length).map_err(|_| Malformed::Truncated)?)
    }

    fn text(&mut self, length: usize) -> Result<String, Malformed> {
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*array)
    }

    fn take(&mut self, length: usize) -> Result<&[u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}
