import copy
import pickle

import pytest

import bayplan
from bayplan import exceptions

CLASSES = [getattr(exceptions, name) for name in exceptions.__all__]
BUILTINS = {
    "ArgumentError": (TypeError, ValueError),
    "BayplanError": (),
    "CaptureError": (ValueError,),
    "ConfigurationError": (ValueError,),
    "InternalError": (RuntimeError,),
    "NotFoundError": (LookupError,),
    "ObjectError": (ValueError,),
    "SourceError": (OSError,),
    "UnsupportedError": (NotImplementedError,),
}


@pytest.mark.parametrize("cls", CLASSES)
def test_has_one_root_and_the_builtin_that_fits(cls: type[bayplan.BayplanError]) -> None:
    assert issubclass(cls, bayplan.BayplanError)
    assert all(issubclass(cls, builtin) for builtin in BUILTINS[cls.__name__])
    assert getattr(bayplan, cls.__name__) is cls


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("again", [copy.copy, lambda e: pickle.loads(pickle.dumps(e))])
def test_pickles_with_its_attributes(cls: type[bayplan.BayplanError], again: object) -> None:
    if issubclass(cls, exceptions.SourceError):
        error: bayplan.BayplanError = cls("no such file", errno=2, path="a.json")
    else:
        error = cls("bad", path="a.json", object="Pod x/y", field="spec.f[0]", value="1Qi")
    other = again(error)  # type: ignore[operator]
    assert type(other) is cls
    assert str(other) == str(error)
    assert other.__dict__ == error.__dict__
    assert getattr(other, "errno", None) == getattr(error, "errno", None)


def test_says_where_from_the_outside_in() -> None:
    error = exceptions.ObjectError(
        "not a quantity", path="a.json", object="Pod x/y", field="spec.f[0]", value='"1Qi"'
    )
    assert str(error) == 'a.json: Pod x/y: spec.f[0]: not a quantity: "1Qi"'


def test_does_not_say_the_value_twice() -> None:
    assert str(exceptions.ObjectError("1Qi is no quantity", value="1Qi")) == "1Qi is no quantity"


def test_a_missing_file_stays_a_source_error() -> None:
    assert type(exceptions.SourceError("gone", errno=2, path="x")) is exceptions.SourceError


def test_every_class_of_error_ends_the_command_with_its_own_meaning() -> None:
    codes = {cls.__name__: cls.exit_code for cls in CLASSES}
    assert codes == {
        "ArgumentError": 2,
        "BayplanError": 3,
        "CaptureError": 3,
        "ConfigurationError": 3,
        "InternalError": 70,
        "NotFoundError": 3,
        "ObjectError": 3,
        "SourceError": 5,
        "UnsupportedError": 4,
    }
