//! The codec of our messages: Protocol Buffers by prost, behind a count of what a message holds.
//!
//! Two bytes of a message may become a hundred in memory: an element of a repeated field that has
//! nothing in it. So a message with more fields than any of ours has is refused before any of it is
//! decoded.

use std::marker::PhantomData;

use bytes::Buf as _;
use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic_prost::ProstCodec;

use crate::limits::FIELD_COUNT_MAX;
use worldbus_bus::{Error, Kind};

/// Encodes as [`ProstCodec`], into room for the whole message; decodes as it does what has at most
/// [`FIELD_COUNT_MAX`] fields.
#[derive(Debug)]
pub(crate) struct BoundedCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for BoundedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for BoundedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = SizedEncoder<<ProstCodec<T, U> as Codec>::Encoder>;
    type Decoder = BoundedDecoder<<ProstCodec<T, U> as Codec>::Decoder>;

    fn encoder(&mut self) -> Self::Encoder {
        SizedEncoder(ProstCodec::<T, U>::default().encoder())
    }

    fn decoder(&mut self) -> Self::Decoder {
        BoundedDecoder(ProstCodec::<T, U>::default().decoder())
    }
}

/// Makes room before the encoder in it encodes: a message of a megabyte would else grow its buffer
/// again and again, copying what it holds each time.
#[derive(Debug)]
pub(crate) struct SizedEncoder<E>(E);

impl<E> Encoder for SizedEncoder<E>
where
    E: Encoder<Error = Status>,
    E::Item: Message,
{
    type Item = E::Item;
    type Error = Status;

    fn encode(&mut self, message: E::Item, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(message.encoded_len());
        self.0.encode(message, buffer)
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.0.buffer_settings()
    }
}

/// Counts before the decoder in it decodes.
#[derive(Debug)]
pub(crate) struct BoundedDecoder<D>(D);

impl<D: Decoder<Error = Status>> Decoder for BoundedDecoder<D> {
    type Item = D::Item;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<D::Item>, Status> {
        // A message is in one piece.
        if fields(message.chunk()) > FIELD_COUNT_MAX {
            let context = format!("a message of more than {FIELD_COUNT_MAX} fields; send less");
            return Err(crate::to_status(&Error::refused(Kind::TooLarge, context)));
        }
        self.0.decode(message)
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.0.buffer_settings()
    }
}

/// The fields of a message, elements of repeated ones each; those of messages in it do not count.
/// Up to what is malformed, which prost refuses.
fn fields(mut message: &[u8]) -> usize {
    let mut count = 0;
    while count <= FIELD_COUNT_MAX && skip_field(&mut message).is_some() {
        count += 1;
    }
    count
}

fn skip_field(message: &mut &[u8]) -> Option<()> {
    let bytes = match varint(message)? & 7 {
        0 => {
            varint(message)?;
            0
        }
        1 => 8,
        2 => usize::try_from(varint(message)?).ok()?,
        // A group, whose fields count as well.
        3 | 4 => 0,
        5 => 4,
        _ => return None,
    };
    *message = message.get(bytes..)?;
    Some(())
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1;

    #[test]
    fn fields_of_a_message_are_counted_and_those_in_it_are_not() {
        let entry = v1::PublishEntry { topic: "t".to_owned(), batch: vec![1; 300].into() };
        let request = v1::PublishRequest { entries: vec![entry; 7] };
        assert_eq!(fields(&request.encode_to_vec()), 7);
        let status = v1::TopicStatus { next_offset: u64::MAX, bytes: 1, ..Default::default() };
        assert_eq!(fields(&status.encode_to_vec()), 2);
    }

    #[test]
    fn counting_ends_at_the_bound_and_at_what_is_malformed() {
        assert_eq!(fields(&[0x0a, 0].repeat(1 << 20)), FIELD_COUNT_MAX + 1);
        for malformed in [&[0x0a, 9, 1][..], &[0x80; 20], &[0x0f]] {
            assert_eq!(fields(malformed), 0);
        }
    }
}
