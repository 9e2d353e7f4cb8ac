//! Buffers of packets → columns, inner frames → packets, and headers alone.

use bayplan_vxlan::batch::{
    EncodeBatch, EncodeBatchError, Spans, decode_batch, decode_headers, encode_batch,
    encode_headers,
};
use bayplan_vxlan::{EncodeError, FAULT_NAMES, Layer, Vni, VxlanHeader};
use numpy::ndarray::Dimension;
use numpy::{
    PyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray, PyReadonlyArray1,
    PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::claims::Claims;
use super::columns::{Borrowed, COLUMNS, Cell, writable};
use super::settings::{VxlanDecoder, VxlanEncap, device};
use crate::enter::enter;
use crate::error::{Fault, NativeError};

/// Name, NumPy's name of the item type, and items a packet, of every column.
#[pyfunction]
pub(crate) fn vxlan_columns() -> Vec<(&'static str, &'static str, usize)> {
    COLUMNS.to_vec()
}

/// What the numbers in the column `code` mean.
#[pyfunction]
pub(crate) fn vxlan_faults() -> Vec<&'static str> {
    FAULT_NAMES.to_vec()
}

/// What the numbers in the column `fault_layer` mean.
#[pyfunction]
pub(crate) fn vxlan_layers() -> Vec<&'static str> {
    Layer::ALL.iter().map(|layer| layer.name()).collect()
}

/// Where packets lie, borrowed.
enum Places<'py> {
    Even(u64, usize),
    Offsets(PyReadonlyArray1<'py, u64>),
    Ranges(PyReadonlyArray1<'py, u64>, PyReadonlyArray1<'py, u64>),
}

impl<'py> Places<'py> {
    /// `(length, count)`, or one number more than packets, or starts and lengths.
    fn new(places: &Bound<'py, PyAny>, claims: &mut Claims) -> Result<Self, NativeError> {
        if let Ok((length, count)) = places.extract::<(u64, usize)>() {
            return Ok(Self::Even(length, count));
        }
        let (offsets, lengths): (Bound<'_, PyArray1<u64>>, Option<Bound<'_, PyArray1<u64>>>) =
            places.extract()?;
        let offsets = read(&offsets, "offsets", claims)?;
        match lengths {
            None => Ok(Self::Offsets(offsets)),
            Some(lengths) => Ok(Self::Ranges(offsets, read(&lengths, "lengths", claims)?)),
        }
    }

    fn spans(&self) -> Result<Spans<'_>, NativeError> {
        Ok(match self {
            Self::Even(length, count) => Spans::Even { length: *length, count: *count },
            Self::Offsets(offsets) => Spans::Offsets(slice(offsets, "offsets")?),
            Self::Ranges(offsets, lengths) => Spans::Ranges {
                offsets: slice(offsets, "offsets")?,
                lengths: slice(lengths, "lengths")?,
            },
        })
    }
}

/// The array, claimed and borrowed for reading.
fn read<'py, T: numpy::Element, D: Dimension>(
    array: &Bound<'py, PyArray<T, D>>,
    field: &str,
    claims: &mut Claims,
) -> Result<PyReadonlyArray<'py, T, D>, NativeError> {
    claims.add(field, array, false)?;
    array.try_readonly().map_err(|_| {
        NativeError::argument(Fault::new("cannot be read: it is being written").field(field))
    })
}

fn slice<'a, T: numpy::Element>(
    array: &'a PyReadonlyArray1<'_, T>,
    field: &str,
) -> Result<&'a [T], NativeError> {
    array.as_slice().map_err(|_| {
        NativeError::argument(Fault::new("its items do not stand one after another").field(field))
    })
}

/// A column of bytes as the codec takes it.
fn octets<'a, const N: usize>(
    array: Option<&'a PyReadonlyArray2<'_, u8>>,
    field: &str,
) -> Result<&'a [[u8; N]], NativeError> {
    let Some(array) = array else { return Ok(&[]) };
    let fault = || NativeError::argument(Fault::new(format!("not rows of {N} bytes")).field(field));
    match array.as_slice() {
        Ok(bytes) if array.shape().get(1) == Some(&N) && array.is_c_contiguous() => {
            Ok(bytes.as_chunks().0)
        }
        _ => Err(fault()),
    }
}

/// Writes a row for each packet into the columns of `out`; how many packets there are, how many of them are VXLAN, and how many
/// something else.
#[pyfunction]
pub(crate) fn vxlan_decode(
    py: Python<'_>,
    decoder: &VxlanDecoder,
    buffer: &Bound<'_, PyArray1<u8>>,
    places: &Bound<'_, PyAny>,
    out: &Bound<'_, PyDict>,
) -> PyResult<(usize, usize, usize)> {
    let claims = &mut Claims::default();
    let places = Places::new(places, claims)?;
    let buffer = read(buffer, "buffer", claims)?;
    let (spans, bytes) = (places.spans()?, slice(&buffer, "buffer")?);
    let mut borrowed = Borrowed::new(out, spans.len(), claims)?;
    let mut columns = borrowed.columns();
    let decoded = enter(py, |_| Ok(decode_batch(&decoder.decoder, bytes, spans, &mut columns)))?;
    Ok((decoded.packets, decoded.frames, decoded.not_vxlan))
}

/// Packets in a buffer, where each starts and the last one ends, and how many bytes were written.
type Encoded<'py> = (Bound<'py, PyArray1<u8>>, Bound<'py, PyArray1<u64>>, usize);

/// Columns of what differs from packet to packet.
type Column<'py, T> = Option<Bound<'py, PyArray1<T>>>;
type Rows<'py> = Option<Bound<'py, PyArray2<u8>>>;

fn read_some<'py, T: numpy::Element, D: Dimension>(
    array: Option<&Bound<'py, PyArray<T, D>>>,
    field: &str,
    claims: &mut Claims,
) -> Result<Option<PyReadonlyArray<'py, T, D>>, NativeError> {
    array.map(|array| read(array, field, claims)).transpose()
}

/// Writes the packets of all frames.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "each is a column with a name in Python")]
#[expect(clippy::needless_pass_by_value, reason = "arguments of Python are handed over")]
pub(crate) fn vxlan_encode<'py>(
    py: Python<'py>,
    encap: &VxlanEncap,
    inner: &Bound<'py, PyArray1<u8>>,
    places: &Bound<'py, PyAny>,
    vni: Column<'py, u32>,
    src: Rows<'py>,
    dst: Rows<'py>,
    src_mac: Rows<'py>,
    dst_mac: Rows<'py>,
    src_port: Column<'py, u16>,
    out: Option<Bound<'py, PyArray1<u8>>>,
) -> PyResult<Encoded<'py>> {
    let claims = &mut Claims::default();
    let places = Places::new(places, claims)?;
    let inner = read(inner, "inner", claims)?;
    let vni = read_some(vni.as_ref(), "vni", claims)?;
    let src = read_some(src.as_ref(), "src", claims)?;
    let dst = read_some(dst.as_ref(), "dst", claims)?;
    let src_mac = read_some(src_mac.as_ref(), "src_mac", claims)?;
    let dst_mac = read_some(dst_mac.as_ref(), "dst_mac", claims)?;
    let src_port = read_some(src_port.as_ref(), "src_port", claims)?;
    let encap = &encap.encap;
    let batch = EncodeBatch {
        inner: slice(&inner, "inner")?,
        spans: places.spans()?,
        vni: vni.as_ref().map_or(Ok(&[][..]), |vni| slice(vni, "vni"))?,
        source: octets(src.as_ref(), "src")?,
        destination: octets(dst.as_ref(), "dst")?,
        source_mac: octets(src_mac.as_ref(), "src_mac")?,
        destination_mac: octets(dst_mac.as_ref(), "dst_mac")?,
        source_port: src_port.as_ref().map_or(Ok(&[][..]), |port| slice(port, "src_port"))?,
    };
    let needed = enter(py, |_| batch.encoded_len(encap).map_err(|error| batch_error(&error)))?;
    let out = out.unwrap_or_else(|| PyArray1::zeros(py, needed, false));
    let offsets = PyArray1::<u64>::zeros(py, batch.spans.len().saturating_add(1), false);
    claims.add("out", &out, true)?;
    let written = {
        let fault = |why: String| NativeError::argument(Fault::new(why).field("out"));
        let mut bytes =
            out.try_readwrite().map_err(|error| fault(format!("cannot be written to: {error}")))?;
        let bytes = bytes
            .as_slice_mut()
            .map_err(|_| fault("its items do not stand one after another".to_owned()))?;
        let mut starts = offsets.readwrite();
        let starts = starts.as_slice_mut().unwrap_or_default();
        enter(py, |_| {
            encode_batch(encap, &batch, bytes, starts).map_err(|error| batch_error(&error))
        })?
    };
    Ok((out, offsets, written))
}

fn batch_error(error: &EncodeBatchError) -> NativeError {
    let field = match error {
        EncodeBatchError::OutOfBuffer { .. } => "offsets",
        EncodeBatchError::OutTooShort { .. } => "out",
        EncodeBatchError::ColumnLength { column, .. } => match *column {
            "source" => "src",
            "destination" => "dst",
            "source_mac" => "src_mac",
            "destination_mac" => "dst_mac",
            "source_port" => "src_port",
            other => other,
        },
        EncodeBatchError::Frame { error: EncodeError::Vni { .. }, .. } => "vni",
        EncodeBatchError::Frame { error: EncodeError::MixedFamilies, .. } => "src",
        _ => "inner",
    };
    NativeError::argument(Fault::new(error.to_string()).field(field))
}

/// Writes a header for each VNI: flags, and zeros where bits are reserved.
#[pyfunction]
pub(crate) fn vxlan_encode_headers(
    py: Python<'_>,
    vni: &Bound<'_, PyArray1<u32>>,
    flags: u8,
    out: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let claims = &mut Claims::default();
    let vni = read(vni, "vni", claims)?;
    let vnis = slice(&vni, "vni")?;
    let mut out = writable::<[u8; VxlanHeader::LEN]>("out", out, vnis.len(), claims)?;
    let headers = <[u8; VxlanHeader::LEN]>::cells(out.as_slice_mut().unwrap_or_default());
    let header = VxlanHeader::from_bytes([flags, 0, 0, 0, 0, 0, 0, 0]).with_vni(Vni::default());
    Ok(enter(py, |_| {
        encode_headers(header, vnis, headers)
            .map_err(|error| NativeError::argument(Fault::new(error.to_string()).field("vni")))?;
        Ok(())
    })?)
}

/// Reads headers of eight bytes; how many would be refused.
#[pyfunction]
pub(crate) fn vxlan_decode_headers(
    py: Python<'_>,
    headers: &Bound<'_, PyArray2<u8>>,
    kind: &str,
    decoder: &VxlanDecoder,
    vni: &Bound<'_, PyAny>,
    flags: &Bound<'_, PyAny>,
    code: &Bound<'_, PyAny>,
) -> PyResult<usize> {
    let claims = &mut Claims::default();
    let headers = read(headers, "headers", claims)?;
    let headers = octets::<{ VxlanHeader::LEN }>(Some(&headers), "headers")?;
    let kind = device("device", kind)?;
    let mut vni = writable::<u32>("vni", vni, headers.len(), claims)?;
    let mut flags = writable::<u8>("flags", flags, headers.len(), claims)?;
    let mut code = writable::<u8>("code", code, headers.len(), claims)?;
    let vni = vni.as_slice_mut().unwrap_or_default();
    let flags = flags.as_slice_mut().unwrap_or_default();
    let code = code.as_slice_mut().unwrap_or_default();
    Ok(enter(py, |_| Ok(decode_headers(headers, kind, decoder.mode, vni, flags, code)))?)
}
