//! The columns of decoded packets: NumPy arrays that the caller gives, or memory of ours that becomes arrays.

use bayplan_vxlan::batch::Columns;
use numpy::{
    Element, PyArray1, PyArrayMethods, PyReadwriteArrayDyn, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::claims::Claims;
use crate::error::{Fault, NativeError};

/// What one packet has in a column: a number, or bytes, which NumPy sees as a second axis.
pub(crate) trait Cell: Copy + Default + Send {
    /// What NumPy calls an item.
    type Item: Element;
    /// Items of one packet.
    const WIDTH: usize;
    /// What NumPy calls the item's type.
    const DTYPE: &'static str;

    /// The items, packet by packet.
    fn cells(items: &mut [Self::Item]) -> &mut [Self];

    /// One packet after another.
    fn items(cells: Vec<Self>) -> Vec<Self::Item>;
}

macro_rules! numbers {
    ($($type:ident = $name:literal,)*) => {
        $(impl Cell for $type {
            type Item = Self;
            const WIDTH: usize = 1;
            const DTYPE: &'static str = $name;

            fn cells(items: &mut [Self]) -> &mut [Self] {
                items
            }

            fn items(cells: Vec<Self>) -> Vec<Self> {
                cells
            }
        })*
    };
}

numbers! { u8 = "uint8", u16 = "uint16", u32 = "uint32", u64 = "uint64", }

macro_rules! octets {
    ($($width:literal)*) => {
        $(impl Cell for [u8; $width] {
            type Item = u8;
            const WIDTH: usize = $width;
            const DTYPE: &'static str = "uint8";

            fn cells(items: &mut [u8]) -> &mut [Self] {
                items.as_chunks_mut().0
            }

            fn items(cells: Vec<Self>) -> Vec<u8> {
                cells.into_flattened()
            }
        })*
    };
}

octets! { 6 8 16 }

/// An array of one row a packet, borrowed for writing.
fn borrow<'py, T: Cell>(
    name: &str,
    out: &Bound<'py, PyDict>,
    rows: usize,
    claims: &mut Claims,
) -> Result<Option<PyReadwriteArrayDyn<'py, T::Item>>, NativeError> {
    let Some(array) = out.get_item(name)? else { return Ok(None) };
    writable::<T>(name, &array, rows, claims).map(Some)
}

/// The same array, borrowed for writing: one row a packet, all of them one after another in memory.
///
/// # Errors
///
/// `NativeError::Argument` when it is no such array, or somebody else reads or writes it now.
pub(crate) fn writable<'py, T: Cell>(
    name: &str,
    array: &Bound<'py, PyAny>,
    rows: usize,
    claims: &mut Claims,
) -> Result<PyReadwriteArrayDyn<'py, T::Item>, NativeError> {
    let fault = |message: String| NativeError::argument(Fault::new(message).field(name));
    let shape = if T::WIDTH == 1 { vec![rows] } else { vec![rows, T::WIDTH] };
    let wanted = || fault(format!("not an array of {} in the shape {shape:?}", T::DTYPE));
    let untyped = array.cast::<PyUntypedArray>().map_err(|_| wanted())?;
    if untyped.shape() != shape || !untyped.is_c_contiguous() {
        return Err(wanted());
    }
    let typed = array.cast::<numpy::PyArrayDyn<T::Item>>().map_err(|_| wanted())?;
    claims.add(name, typed, true)?;
    typed.try_readwrite().map_err(|error| fault(format!("cannot be written to: {error}")))
}

macro_rules! each_column {
    ($($name:ident: $type:ty,)*) => {
        /// Name, NumPy's name of the item type, and items a packet, in the order of the packet.
        pub(crate) const COLUMNS: &[(&str, &str, usize)] =
            &[$((stringify!($name), <$type as Cell>::DTYPE, <$type as Cell>::WIDTH),)*];

        /// Arrays that Python gave, by name.
        pub(crate) struct Borrowed<'py> {
            $($name: Option<PyReadwriteArrayDyn<'py, <$type as Cell>::Item>>,)*
        }

        impl<'py> Borrowed<'py> {
            /// Borrows the columns that are there.
            ///
            /// # Errors
            ///
            /// `NativeError::Argument` for an array of another type or shape, and for one that somebody reads or writes.
            pub(crate) fn new(
                out: &Bound<'py, PyDict>,
                rows: usize,
                claims: &mut Claims,
            ) -> Result<Self, NativeError> {
                Ok(Self { $($name: borrow::<$type>(stringify!($name), out, rows, claims)?,)* })
            }

            /// The columns as the decoder takes them.
            pub(crate) fn columns(&mut self) -> Columns<'_> {
                let mut columns = Columns::default();
                $(if let Some(Ok(items)) = self.$name.as_mut().map(|array| array.as_slice_mut()) {
                    columns.$name = <$type as Cell>::cells(items);
                })*
                columns
            }
        }

        /// Columns in memory of ours.
        #[derive(Debug, Default)]
        pub(crate) struct Owned {
            $($name: Option<Vec<$type>>,)*
        }

        impl Owned {
            /// The columns of these names, of so many packets.
            pub(crate) fn new(names: &[String], rows: usize) -> Self {
                let mut owned = Self::default();
                $(if names.iter().any(|name| name == stringify!($name)) {
                    owned.$name = Some(vec![<$type>::default(); rows]);
                })*
                owned
            }

            /// The columns as the decoder takes them.
            pub(crate) fn columns(&mut self) -> Columns<'_> {
                let mut columns = Columns::default();
                $(if let Some(cells) = &mut self.$name {
                    columns.$name = cells;
                })*
                columns
            }

            /// Puts the columns into a dict, as arrays over the same memory.
            ///
            /// # Errors
            ///
            /// What Python raised.
            pub(crate) fn put(self, py: Python<'_>, into: &Bound<'_, PyDict>) -> PyResult<()> {
                $(if let Some(cells) = self.$name {
                    put(py, into, stringify!($name), cells)?;
                })*
                Ok(())
            }
        }
    };
}

/// Puts a column into a dict, as an array over the same memory.
///
/// # Errors
///
/// What Python raised.
pub(crate) fn put<T: Cell>(
    py: Python<'_>,
    into: &Bound<'_, PyDict>,
    name: &str,
    cells: Vec<T>,
) -> PyResult<()> {
    let rows = cells.len();
    let array = PyArray1::from_vec(py, T::items(cells));
    if T::WIDTH == 1 {
        into.set_item(name, array)
    } else {
        into.set_item(name, array.reshape([rows, T::WIDTH])?)
    }
}

each_column! {
    code: u8,
    fault_layer: u8,
    fault_offset: u32,
    outer_source_mac: [u8; 6],
    outer_destination_mac: [u8; 6],
    outer_vlan: u16,
    outer_ip_version: u8,
    outer_source: [u8; 16],
    outer_destination: [u8; 16],
    outer_source_ipv4: u32,
    outer_destination_ipv4: u32,
    outer_ttl: u8,
    outer_traffic_class: u8,
    source_port: u16,
    destination_port: u16,
    udp_checksum: u16,
    vni: u32,
    flags: u8,
    vxlan_header: [u8; 8],
    vxlan_offset: u32,
    inner_offset: u64,
    inner_length: u32,
    inner_captured: u32,
    inner_type: u16,
    inner_source_mac: [u8; 6],
    inner_destination_mac: [u8; 6],
    inner_vlan: u16,
    inner_ip_version: u8,
    inner_source: [u8; 16],
    inner_destination: [u8; 16],
    inner_source_ipv4: u32,
    inner_destination_ipv4: u32,
    inner_protocol: u8,
    inner_source_port: u16,
    inner_destination_port: u16,
}
