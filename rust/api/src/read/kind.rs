//! `Type`: which object a piece of JSON is, told by its kind, its list's kind, or its shape.

use std::borrow::Cow;

use crate::Kind;
use crate::json::{Decoder, Fault};

/// What `kind` and `apiVersion` say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    /// A kind that is kept.
    Kept(Kind),
    /// Another kind, by the name under which it is counted.
    Other(String),
}

impl Type {
    /// The type of `kind` in `api_version`; an absent `api_version` is any that fits.
    pub(crate) fn of(api_version: Option<&[u8]>, kind: &[u8]) -> Self {
        let kind = String::from_utf8_lossy(kind);
        let Some((known, groups)) = Kind::find(&kind) else { return Self::Other(kind.into()) };
        let api_version = String::from_utf8_lossy(api_version.unwrap_or_default());
        if api_version.is_empty() {
            return Self::Kept(known);
        }
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        // what says v2 one day may look otherwise
        let is_version_1 = version == "v1"
            || version.starts_with("v1alpha")
            || version.starts_with("v1beta")
            || (group == "apps" && version.starts_with("v1"));
        if groups.contains(&group) && is_version_1 {
            Self::Kept(known)
        } else if group.is_empty() {
            Self::Other(format!("{kind}.{version}"))
        } else {
            Self::Other(format!("{kind}.{group}"))
        }
    }
}

/// What the first members of an object tell.
#[derive(Debug, Default)]
pub(crate) struct Header<'a> {
    pub(crate) api_version: Option<Cow<'a, [u8]>>,
    pub(crate) kind: Option<Cow<'a, [u8]>>,
    /// Whether the decoder stands at the list of `items`.
    pub(crate) at_items: bool,
    /// Whether every member was looked at.
    pub(crate) complete: bool,
}

impl Header<'_> {
    /// Whether the kind is that of a list.
    pub(crate) fn is_list_kind(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind.ends_with(b"List"))
    }
}

/// Reads the members of an object as far as needed to tell a list from a single object.
///
/// kubectl sorts members by name, so a list's `kind` stands behind its `items`; but what stands before
/// `items` in any printer's order is `apiVersion`, `kind` and `metadata`.
pub(crate) fn header<'a>(decoder: &mut Decoder<'a>) -> Result<Header<'a>, Fault> {
    let mut header = Header::default();
    let mut items = decoder.begin_object()?;
    while let Some(name) = decoder.next_member(&mut items)? {
        match &*name {
            b"apiVersion" => header.api_version = name_text(decoder, b"apiVersion")?,
            b"kind" => header.kind = name_text(decoder, b"kind")?,
            b"metadata" => decoder.skip()?,
            b"items" if matches!(decoder.peek(), Some(b'[' | b'n') | None) => {
                if header.kind.is_none() || header.is_list_kind() {
                    header.at_items = true;
                }
                return Ok(header);
            }
            _ => return Ok(header),
        }
        if header.api_version.is_some() && header.kind.is_some() && !header.is_list_kind() {
            return Ok(header);
        }
    }
    header.complete = true;
    Ok(header)
}

fn name_text<'a>(
    decoder: &mut Decoder<'a>,
    name: &'static [u8],
) -> Result<Option<Cow<'a, [u8]>>, Fault> {
    if decoder.null()? {
        return Ok(None);
    }
    match decoder.text() {
        Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Err(fault) => Err(fault.in_field(name)),
    }
}

/// What a whole object tells about its kind.
#[derive(Debug, Default)]
pub(crate) struct Signs<'a> {
    pub(crate) api_version: Option<Cow<'a, [u8]>>,
    pub(crate) kind: Option<Cow<'a, [u8]>>,
    /// The kind that has such fields, if there is one.
    pub(crate) shape: Option<Kind>,
}

/// Looks through all members of the object for its kind, and for fields that only one kind has.
pub(crate) fn signs<'a>(decoder: &mut Decoder<'a>) -> Result<Signs<'a>, Fault> {
    let mut signs = Signs::default();
    let mut items = decoder.begin_object()?;
    while let Some(name) = decoder.next_member(&mut items)? {
        let mut shape = None;
        match &*name {
            b"apiVersion" => signs.api_version = name_text(decoder, b"apiVersion")?,
            b"kind" => signs.kind = name_text(decoder, b"kind")?,
            b"spec" | b"status" if decoder.peek() == Some(b'{') => {
                let mut inner = decoder.begin_object()?;
                while let Some(field) = decoder.next_member(&mut inner)? {
                    shape = shape.or_else(|| shape_by_field(&name, &field));
                    decoder.skip()?;
                }
            }
            _ => {
                shape = shape_by_field(b"", &name);
                decoder.skip()?;
            }
        }
        signs.shape = signs.shape.or(shape);
    }
    Ok(signs)
}

/// The kind that alone, of those that are kept, has this field.
fn shape_by_field(parent: &[u8], field: &[u8]) -> Option<Kind> {
    Some(match (parent, field) {
        (b"spec", b"containers" | b"restartPolicy" | b"schedulerName" | b"tolerations")
        | (b"status", b"containerStatuses" | b"podIP" | b"qosClass") => Kind::Pod,
        (b"spec", b"podCIDR" | b"providerID" | b"taints" | b"unschedulable")
        | (b"status", b"allocatable" | b"nodeInfo" | b"daemonEndpoints" | b"images") => Kind::Node,
        (b"spec", b"clusterIP" | b"sessionAffinity" | b"externalName") => Kind::Service,
        (b"spec", b"finalizers") => Kind::Namespace,
        (b"spec", b"serviceName" | b"volumeClaimTemplates" | b"podManagementPolicy") => {
            Kind::StatefulSet
        }
        (b"spec", b"persistentVolumeReclaimPolicy" | b"claimRef") => Kind::PersistentVolume,
        (b"spec", b"volumeName" | b"dataSource") => Kind::PersistentVolumeClaim,
        (b"spec", b"drivers") => Kind::CsiNode,
        (b"spec", b"attachRequired" | b"podInfoOnMount" | b"volumeLifecycleModes") => {
            Kind::CsiDriver
        }
        (b"spec", b"attacher") => Kind::VolumeAttachment,
        (b"spec", b"minAvailable" | b"maxUnavailable") | (b"status", b"disruptionsAllowed") => {
            Kind::PodDisruptionBudget
        }
        (b"", b"provisioner" | b"volumeBindingMode") => Kind::StorageClass,
        (b"", b"globalDefault" | b"preemptionPolicy") => Kind::PriorityClass,
        (b"", b"nodeTopology" | b"maximumVolumeSize") => Kind::CsiStorageCapacity,
        _ => return None,
    })
}

/// As much of `Pod default/web-0` as can be read from an object that may be broken.
pub(crate) fn describe(decoder: &mut Decoder<'_>, expected: Option<Kind>) -> String {
    let (mut kind, mut namespace, mut name) = (None, None, None);
    // what was found before the fault is enough
    let _ = describe_members(decoder, &mut kind, &mut namespace, &mut name);
    let kind = kind.or_else(|| expected.map(|kind| kind.name().to_owned()));
    let Some(name) = name else { return String::new() };
    let kind = kind.unwrap_or_else(|| "object".to_owned());
    match namespace {
        Some(namespace) if !namespace.is_empty() => format!("{kind} {namespace}/{name}"),
        _ => format!("{kind} {name}"),
    }
}

fn describe_members(
    decoder: &mut Decoder<'_>,
    kind: &mut Option<String>,
    namespace: &mut Option<String>,
    name: &mut Option<String>,
) -> Result<(), Fault> {
    let mut items = decoder.begin_object()?;
    while let Some(member) = decoder.next_member(&mut items)? {
        match &*member {
            b"kind" => describe_text(decoder, kind)?,
            b"metadata" if decoder.peek() == Some(b'{') => {
                let mut inner = decoder.begin_object()?;
                while let Some(member) = decoder.next_member(&mut inner)? {
                    match &*member {
                        b"namespace" => describe_text(decoder, namespace)?,
                        b"name" => describe_text(decoder, name)?,
                        _ => decoder.skip()?,
                    }
                }
            }
            _ => decoder.skip()?,
        }
    }
    Ok(())
}

/// Reads a text for a description into `slot`, without what would spoil a line.
pub(super) fn describe_text(
    decoder: &mut Decoder<'_>,
    slot: &mut Option<String>,
) -> Result<(), Fault> {
    if decoder.peek() == Some(b'"') {
        let text = decoder.text()?;
        let text = String::from_utf8_lossy(&text);
        *slot = Some(text.chars().filter(|c| !c.is_control()).take(253).collect());
        Ok(())
    } else {
        decoder.skip()
    }
}
