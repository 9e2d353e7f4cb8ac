//! Captures: read block by block into columns, counted, unwrapped and wrapped. Memory does not grow with the capture.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Cursor, Read, Write};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use bayplan_vxlan::batch::decode_batch;
use bayplan_vxlan::capture::{
    CaptureError, CaptureReader, CaptureWriteError, PcapWriter, PcapngWriter, Resolution, Timestamp,
};
use bayplan_vxlan::{DecodeError, Decoder, Frame, LinkType, NextProtocol};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::columns::{Owned, put};
use super::settings::{VxlanDecoder, VxlanEncap};
use crate::enter::{Interrupt, enter};
use crate::error::{Fault, NativeError};

type Stream = Box<dyn Read + Send>;

/// Where a capture comes from, and what errors call it.
struct Source {
    name: String,
    payload: Payload,
}

enum Payload {
    Path,
    Stdin,
    Bytes(Vec<u8>),
}

impl Source {
    /// Takes `(kind, name, payload)` as `bayplan.vxlan` makes it.
    fn from_python(source: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (kind, name, payload): (String, String, Bound<'_, PyAny>) = source.extract()?;
        let payload = match kind.as_str() {
            "path" => Payload::Path,
            "stdin" => Payload::Stdin,
            _ => Payload::Bytes(payload.cast::<PyBytes>()?.as_bytes().to_vec()),
        };
        Ok(Self { name, payload })
    }

    fn open(self) -> Result<(String, CaptureReader<Alert>), NativeError> {
        let stream: Stream = match self.payload {
            Payload::Path => match File::open(&self.name) {
                Ok(file) => Box::new(file),
                Err(error) => return Err(NativeError::Source { path: self.name, error }),
            },
            Payload::Stdin => Box::new(io::stdin()),
            Payload::Bytes(bytes) => Box::new(Cursor::new(bytes)),
        };
        match CaptureReader::new(Alert(stream)) {
            Ok(reader) => Ok((self.name, reader)),
            Err(error) => Err(read_error(&self.name, error)),
        }
    }
}

/// Lets Python run its signal handlers when the operating system breaks a read off for a signal: readers try again without asking.
struct Alert(Stream);

impl Read for Alert {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                signals()?;
                Err(error)
            }
            other => other,
        }
    }
}

fn signals() -> PyResult<()> {
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method's lifetime is no general one"
    )]
    Python::attach(|py| py.check_signals())
}

fn read_error(name: &str, error: CaptureError) -> NativeError {
    let error = match error {
        CaptureError::Io(error) => error,
        CaptureError::Compression { error, .. } if is_python(&error) => error,
        other => return damaged(name, &other),
    };
    if !is_python(&error) {
        return NativeError::Source { path: name.to_owned(), error };
    }
    let Some(inner) = error.into_inner() else {
        return NativeError::Internal("a reader lost its error".to_owned());
    };
    match inner.downcast::<PyErr>() {
        Ok(raised) => NativeError::Python(*raised),
        Err(other) => NativeError::Internal(other.to_string()),
    }
}

fn is_python(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<PyErr>())
}

fn damaged(name: &str, error: &CaptureError) -> NativeError {
    let path = Some(name.to_owned());
    NativeError::capture(Fault { path, ..Fault::new(error.to_string()) })
}

/// A capture that is being read.
#[pyclass(frozen, module = "bayplan._native")]
pub(crate) struct VxlanCapture {
    name: String,
    reader: Mutex<CaptureReader<Alert>>,
    decoder: Decoder,
    columns: Vec<String>,
}

#[pymethods]
impl VxlanCapture {
    #[staticmethod]
    fn open(
        py: Python<'_>,
        source: &Bound<'_, PyAny>,
        decoder: &VxlanDecoder,
        columns: Vec<String>,
    ) -> PyResult<Self> {
        let source = Source::from_python(source)?;
        let (name, reader) = enter(py, |_| source.open())?;
        let decoder = decoder.decoder.clone();
        Ok(Self { name, reader: Mutex::new(reader), decoder, columns })
    }

    /// Which format it has: `pcap` or `pcapng`.
    fn format(&self, py: Python<'_>) -> PyResult<&'static str> {
        use bayplan_vxlan::capture::Format;
        Ok(enter(py, |_| {
            let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(match reader.format() {
                Format::Pcap => "pcap",
                Format::Pcapng => "pcapng",
            })
        })?)
    }

    /// The next packets as columns; `None` at the end. Offsets are from the start of each packet.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(rows) = enter(py, |_| self.next_rows())? else { return Ok(None) };
        let out = PyDict::new(py);
        let Rows { owned, number, timestamp, link, captured, original } = rows;
        put(py, &out, "number", number)?;
        put(py, &out, "timestamp", timestamp)?;
        put(py, &out, "link", link)?;
        put(py, &out, "captured", captured)?;
        put(py, &out, "original", original)?;
        owned.put(py, &out)?;
        Ok(Some(out))
    }
}

/// A block of a capture, decoded.
struct Rows {
    owned: Owned,
    number: Vec<u64>,
    timestamp: Vec<u64>,
    link: Vec<u32>,
    captured: Vec<u32>,
    original: Vec<u32>,
}

impl VxlanCapture {
    fn next_rows(&self) -> Result<Option<Rows>, NativeError> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let block = reader.next_block().map_err(|error| read_error(&self.name, error))?;
        let Some(block) = block else { return Ok(None) };
        let mut owned = Owned::new(&self.columns, block.len());
        let decoder = self.decoder.clone().link(block.link);
        let mut columns = owned.columns();
        decode_batch(&decoder, block.buffer, block.spans(), &mut columns);
        for (offset, start) in columns.inner_offset.iter_mut().zip(block.offsets) {
            *offset = offset.saturating_sub(*start);
        }
        Ok(Some(Rows {
            owned,
            number: (block.first_number..).take(block.len()).collect(),
            timestamp: block.timestamps.iter().map(|time| time.cast_unsigned()).collect(),
            link: vec![block.link.0; block.len()],
            captured: block
                .lengths
                .iter()
                .map(|&length| u32::try_from(length).unwrap_or(u32::MAX))
                .collect(),
            original: block.original_lengths.to_vec(),
        }))
    }
}

/// What a run over a capture came to.
#[derive(Debug, Default)]
struct Tally {
    packets: u64,
    /// VXLAN packets that were taken.
    frames: u64,
    /// Packets that are something else.
    other: u64,
    /// Packets that are damaged.
    damaged: u64,
    /// Packets that were left out for another reason.
    left_out: u64,
}

type Counts = (u64, u64, u64, u64, u64);

impl Tally {
    fn refused(&mut self, error: &DecodeError) {
        if error.fault.is_not_vxlan() {
            self.other += 1;
        } else {
            self.damaged += 1;
        }
    }

    fn counts(&self) -> Counts {
        (self.packets, self.frames, self.other, self.damaged, self.left_out)
    }
}

/// Calls `each` for every packet.
fn for_each(
    source: Source,
    interrupt: &Interrupt,
    mut each: impl FnMut(&mut Tally, LinkType, Timestamp, u32, &[u8]) -> Result<(), NativeError>,
) -> Result<Tally, NativeError> {
    let (name, mut reader) = source.open()?;
    let mut tally = Tally::default();
    while let Some(record) = reader.next_record().map_err(|error| read_error(&name, error))? {
        tally.packets += 1;
        // asking the time costs more than a packet
        if tally.packets.is_multiple_of(1024) {
            interrupt.check()?;
        }
        let time = record.timestamp.unwrap_or_default();
        each(&mut tally, record.link, time, record.original_length, record.data)?;
    }
    Ok(tally)
}

/// What packets are counted by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    vni: u32,
    source: IpAddr,
    destination: IpAddr,
    ether_type: u16,
    protocol: Option<u8>,
}

impl Kind {
    fn of(frame: &Frame<'_>) -> Self {
        let inner = frame.inner_headers();
        Self {
            vni: frame.vxlan.vni().get(),
            source: frame.ip.source(),
            destination: frame.ip.destination(),
            ether_type: inner.ether_type.0,
            protocol: inner.protocol.map(|protocol| protocol.0),
        }
    }
}

/// VNI, outer source and destination, inner `EtherType`, inner IP protocol; packets, bytes of inner frames.
type Count = (u32, String, String, u16, Option<u8>, u64, u64);

/// Counts the VXLAN packets of a capture.
#[pyfunction]
pub(crate) fn vxlan_stats(
    py: Python<'_>,
    source: &Bound<'_, PyAny>,
    decoder: &VxlanDecoder,
) -> PyResult<(Vec<Count>, Counts)> {
    let source = Source::from_python(source)?;
    let (counts, tally) = enter(py, |interrupt| {
        let mut counts: BTreeMap<Kind, (u64, u64)> = BTreeMap::new();
        let mut decoders = Decoders::new(&decoder.decoder);
        let tally = for_each(source, interrupt, |tally, link, _, _, data| {
            match decoders.of(link).decode(data) {
                Ok(frame) => {
                    tally.frames += 1;
                    let (packets, bytes) = counts.entry(Kind::of(&frame)).or_default();
                    *packets += 1;
                    *bytes =
                        bytes.saturating_add(u64::try_from(frame.inner.length).unwrap_or(u64::MAX));
                }
                Err(error) => tally.refused(&error),
            }
            Ok(())
        })?;
        Ok((counts, tally))
    })?;
    let counts = counts.into_iter().map(|(kind, (packets, bytes))| {
        let (source, destination) = (kind.source.to_string(), kind.destination.to_string());
        (kind.vni, source, destination, kind.ether_type, kind.protocol, packets, bytes)
    });
    Ok((counts.collect(), tally.counts()))
}

/// The decoder for the link type that was seen last.
struct Decoders {
    decoder: Decoder,
    link: LinkType,
}

impl Decoders {
    fn new(decoder: &Decoder) -> Self {
        Self { decoder: decoder.clone().link(LinkType::ETHERNET), link: LinkType::ETHERNET }
    }

    fn of(&mut self, link: LinkType) -> &Decoder {
        if self.link != link {
            self.decoder = self.decoder.clone().link(link);
            self.link = link;
        }
        &self.decoder
    }
}

/// A capture that is being written.
enum Target {
    Pcap(PcapWriter<BufWriter<File>>, LinkType),
    /// With the interfaces that were described, by link type.
    Pcapng(PcapngWriter<BufWriter<File>>, Vec<(LinkType, u32)>),
}

impl Target {
    fn create(path: &str, pcapng: bool, link: LinkType) -> Result<Self, NativeError> {
        let file = File::create(path)
            .map_err(|error| NativeError::Source { path: path.to_owned(), error })?;
        let out = BufWriter::with_capacity(1 << 17, file);
        let target = if pcapng {
            PcapngWriter::new(out).map(|writer| Self::Pcapng(writer, Vec::new()))
        } else {
            PcapWriter::new(out, link, Resolution::Nanos).map(|writer| Self::Pcap(writer, link))
        };
        target.map_err(|error| write_error(path, error))
    }

    /// Writes a packet; `false` when the format has one link type a file, and this is another.
    fn write(
        &mut self,
        link: LinkType,
        time: Timestamp,
        original: u32,
        data: &[u8],
    ) -> Result<bool, CaptureWriteError> {
        match self {
            Self::Pcap(writer, only) => {
                if *only != link {
                    return Ok(false);
                }
                writer.write(time, original, data)?;
            }
            Self::Pcapng(writer, interfaces) => {
                let known = interfaces.iter().find(|(known, _)| *known == link);
                let interface = if let Some((_, interface)) = known {
                    *interface
                } else {
                    let interface = writer.add_interface(link)?;
                    interfaces.push((link, interface));
                    interface
                };
                writer.write(interface, time, original, data)?;
            }
        }
        Ok(true)
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Pcap(writer, _) => writer.into_inner().flush(),
            Self::Pcapng(writer, _) => writer.into_inner().flush(),
        }
    }
}

fn write_error(path: &str, error: CaptureWriteError) -> NativeError {
    match error {
        CaptureWriteError::Io(error) => NativeError::Source { path: path.to_owned(), error },
        other => {
            let path = Some(path.to_owned());
            NativeError::capture(Fault { path, ..Fault::new(other.to_string()) })
        }
    }
}

/// What an inner packet starts with, as captures number it; `None` when they have no number for it.
fn inner_link(protocol: NextProtocol) -> Option<LinkType> {
    match protocol {
        NextProtocol::ETHERNET => Some(LinkType::ETHERNET),
        NextProtocol::IPV4 => Some(LinkType::IPV4),
        NextProtocol::IPV6 => Some(LinkType::IPV6),
        _ => None,
    }
}

/// Writes the inner frames of a capture to another.
#[pyfunction]
pub(crate) fn vxlan_strip(
    py: Python<'_>,
    source: &Bound<'_, PyAny>,
    target: &str,
    pcapng: bool,
    decoder: &VxlanDecoder,
) -> PyResult<Counts> {
    let source = Source::from_python(source)?;
    Ok(enter(py, |interrupt| {
        let mut out = Target::create(target, pcapng, LinkType::ETHERNET)?;
        let mut decoders = Decoders::new(&decoder.decoder);
        let tally = for_each(source, interrupt, |tally, link, time, _, data| {
            let frame = match decoders.of(link).decode(data) {
                Ok(frame) => frame,
                Err(error) => {
                    tally.refused(&error);
                    return Ok(());
                }
            };
            let inner = frame.inner;
            let length = u32::try_from(inner.length).unwrap_or(u32::MAX);
            let is_written = match inner_link(inner.protocol) {
                Some(link) => out
                    .write(link, time, length, inner.bytes)
                    .map_err(|error| write_error(target, error))?,
                None => false,
            };
            if is_written {
                tally.frames += 1;
            } else {
                tally.left_out += 1;
            }
            Ok(())
        })?;
        out.finish().map_err(|error| NativeError::Source { path: target.to_owned(), error })?;
        Ok(tally.counts())
    })?)
}

/// Writes the packets of a capture to another, each as the inner frame of a VXLAN packet. Those that are no Ethernet are left out, and those
/// that were captured in part: the lengths in the headers around them could not be true.
#[pyfunction]
pub(crate) fn vxlan_wrap(
    py: Python<'_>,
    source: &Bound<'_, PyAny>,
    target: &str,
    pcapng: bool,
    encap: &VxlanEncap,
) -> PyResult<Counts> {
    let source = Source::from_python(source)?;
    Ok(enter(py, |interrupt| {
        let encap = &encap.encap;
        let link =
            if encap.outer().ethernet.is_some() { LinkType::ETHERNET } else { LinkType::RAW };
        let mut out = Target::create(target, pcapng, link)?;
        let mut packet = Vec::new();
        let tally = for_each(source, interrupt, |tally, inner_link, time, original, data| {
            let is_whole = usize::try_from(original).is_ok_and(|length| length <= data.len());
            if inner_link != LinkType::ETHERNET || !is_whole {
                tally.left_out += 1;
                return Ok(());
            }
            packet.resize(encap.encoded_len(data.len()), 0);
            let Ok(length) = encap.encode(data, &mut packet) else {
                tally.left_out += 1;
                return Ok(());
            };
            let packet = packet.get(..length).unwrap_or_default();
            let wire = u32::try_from(length).unwrap_or(u32::MAX);
            out.write(link, time, wire, packet).map_err(|error| write_error(target, error))?;
            tally.frames += 1;
            Ok(())
        })?;
        out.finish().map_err(|error| NativeError::Source { path: target.to_owned(), error })?;
        Ok(tally.counts())
    })?)
}
