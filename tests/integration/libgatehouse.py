"""libgatehouse.so as Python sees it: the calls of <gw/gateway.h> by their names, lists as Python values."""

import ctypes as c
import subprocess

from harness import BINARY

SO = BINARY.parent / "libgatehouse.so.0"
OK, ECLOSED, EBADID, EBADNAME, ENOGATEWAY, ENOREGISTRY, EAUTH, EPARTIAL, ETIMEOUT = (
    0, -1000, -1009, -1010, -1007, -1008, -1005, -1013, -1006)


def why_not_loadable():
    """A library with a sanitizer in it cannot be loaded by a Python without."""
    if not SO.exists():
        return f"{SO} is not built"
    names = subprocess.run(["nm", "-D", str(SO)], capture_output=True, text=True).stdout
    return "built with a sanitizer" if "__asan_init" in names else ""


class Bytes(c.Structure):
    _fields_ = [("data", c.c_char_p), ("len", c.c_size_t)]

    @classmethod
    def of(cls, text):
        raw = text.encode() if isinstance(text, str) else text
        return cls(raw, 0 if raw is None else len(raw))

    def value(self):
        return c.string_at(self.data, self.len)


class Name(c.Structure):
    """struct gw_bytes in results: its address is kept, so that NULs survive."""
    _fields_ = [("data", c.c_void_p), ("len", c.c_size_t)]

    def value(self):
        return c.string_at(self.data, self.len).decode()


class Options(c.Structure):
    _fields_ = [("size", c.c_uint32), ("timeout_ms", c.c_uint64), ("addresses_ms", c.c_uint64)]


class Failure(c.Structure):
    _fields_ = [("address", c.c_char * 64), ("rc", c.c_int)]


class Delivery(c.Structure):
    _fields_ = [("address", c.c_char * 64), ("rc", c.c_int), ("receivers", c.c_int64)]


class Receipt(c.Structure):
    _fields_ = [("receivers", c.c_uint64), ("n", c.c_size_t), ("gateways", c.POINTER(Delivery))]


class Send(c.Structure):
    _fields_ = [("is_binary", c.c_bool), ("is_raw", c.c_bool), ("only_ids", c.POINTER(c.c_char_p)),
                ("only_n", c.c_size_t), ("exclude_ids", c.POINTER(c.c_char_p)), ("exclude_n", c.c_size_t),
                ("receipt", c.POINTER(c.POINTER(Receipt)))]


class ClientEntry(c.Structure):
    _fields_ = [("id", c.c_char * 21), ("session", c.c_void_p)]


class NameClients(c.Structure):
    _fields_ = [("name", Name), ("n", c.c_size_t), ("ids", c.POINTER(c.c_char * 21))]


class NameCount(c.Structure):
    _fields_ = [("name", Name), ("count", c.c_uint64)]


class NameNames(c.Structure):
    _fields_ = [("name", Name), ("n", c.c_size_t), ("names", c.POINTER(Name))]


def list_of(entry):
    class List(c.Structure):
        _fields_ = [("n", c.c_size_t), ("at", c.POINTER(entry)), ("failures_n", c.c_size_t),
                    ("failures", c.POINTER(Failure))]
    return List


# What follows the handle in each call: b bytes, s C string, n several bytes with their number, m the message,
# h options of a send, o the list that comes out.
CALLS = {
    "send_to_client": "sm", "send_to_client_with": "smh", "send_to_all": "mh", "send_to_uid": "bm",
    "send_to_uids": "nmh", "send_to_group": "bm", "send_to_groups": "nmh", "close_client": "sm",
    "destroy_client": "s", "close_uid": "bm", "bind_uid": "sb", "unbind_uid": "s", "join_group": "sb",
    "leave_group": "sb", "ungroup": "b", "set_session": "ss", "update_session": "ss", "is_online": "s",
    "is_uid_online": "b", "get_all_client_count": "", "get_client_count_by_group": "b", "get_uid_count_by_group": "b",
    "get_all_uid_count": "",
}
LISTS = {
    "get_all_client_sessions": ("", ClientEntry), "get_client_sessions_by_group": ("b", ClientEntry),
    "get_all_client_ids": ("", ClientEntry), "get_client_ids_by_group": ("b", ClientEntry),
    "get_client_ids_by_uid": ("b", ClientEntry), "get_client_ids_by_uids": ("n", NameClients),
    "get_client_counts_by_groups": ("n", NameCount), "get_all_groups": ("", Name), "get_all_uids": ("", Name),
    "get_uids_by_group": ("b", Name), "get_groups_by_client": ("s", Name),
    "get_all_group_client_ids": ("", NameClients), "get_all_group_client_counts": ("", NameCount),
    "get_all_group_uids": ("", NameNames), "get_all_group_uid_counts": ("", NameCount),
}


class Library:
    """A handle. Calls give their rc; lists give (rc, value, [(address, rc) of failures])."""

    def __init__(self, registry, secret="", timeout_ms=5000):
        self.so = c.CDLL(str(SO))
        self.so.gw_open_with.restype = c.c_void_p
        for name in ("gw_get_all_client_count", "gw_get_client_count_by_group", "gw_get_uid_count_by_group",
                     "gw_get_all_uid_count"):
            getattr(self.so, name).restype = c.c_int64
        for name in ("gw_session_json", "gw_get_session", "gw_get_uid_by_client"):
            getattr(self.so, name).restype = c.c_void_p
        options = Options(c.sizeof(Options), timeout_ms, 0)
        self.handle = c.c_void_p(self.so.gw_open_with(registry.encode(), secret.encode(), c.byref(options)))
        assert self.handle

    def close(self):
        self.so.gw_close(self.handle)

    def __getattr__(self, name):
        if name in CALLS:
            return lambda *args, **how: self._call(name, CALLS[name], args, how)
        if name in LISTS:
            return lambda *args: self._list(name, *LISTS[name], args)
        raise AttributeError(name)

    def _args(self, kinds, given, how):
        out, given = [self.handle], list(given)
        for kind in kinds:
            if kind == "h":
                out.append(c.byref(how) if how else None)
                continue
            value = given.pop(0)
            if kind in "bm":
                out.append(Bytes.of(value))
            elif kind == "s":
                out.append(value.encode())
            else:
                out += [(Bytes * len(value))(*map(Bytes.of, value)), c.c_size_t(len(value))]
        assert not given
        return out

    def _call(self, name, kinds, given, options):
        receipt = c.POINTER(Receipt)()
        wants = options.pop("receipt", False)
        how = self._how(options, receipt) if options or wants else None
        if how and not wants:
            how.receipt = None
        rc = getattr(self.so, "gw_" + name)(*self._args(kinds, given, how))
        if not wants:
            return rc
        told = None
        if receipt:
            at = receipt.contents
            told = at.receivers, {at.gateways[i].address.decode(): (at.gateways[i].rc, at.gateways[i].receivers)
                                  for i in range(at.n)}
        self.so.gw_result_free(receipt)
        return rc, told

    def _how(self, options, receipt):
        how = Send(is_binary=options.get("is_binary", False), is_raw=options.get("is_raw", False))
        for field in ("only", "exclude"):
            if field in options:
                ids = (c.c_char_p * len(options[field]))(*[i.encode() for i in options[field]])
                setattr(how, field + "_ids", c.cast(ids, c.POINTER(c.c_char_p)))
                setattr(how, field + "_n", len(ids))
        how.receipt = c.pointer(receipt)
        return how

    def _list(self, name, kinds, entry, given):
        out = c.POINTER(list_of(entry))()
        rc = getattr(self.so, "gw_" + name)(*self._args(kinds, given, None), c.byref(out))
        if not out:
            return rc, None, []
        got = out.contents
        failures = [(got.failures[i].address.decode(), got.failures[i].rc) for i in range(got.failures_n)]
        value = self._value(entry, [got.at[i] for i in range(got.n)], "sessions" in name)
        self.so.gw_result_free(out)
        return rc, value, failures

    def _value(self, entry, at, with_sessions):
        if entry is Name:
            return sorted(e.value() for e in at)
        if entry is NameCount:
            return {e.name.value(): e.count for e in at}
        if entry is NameClients:
            return {e.name.value(): sorted(e.ids[i].value.decode() for i in range(e.n)) for e in at}
        if entry is NameNames:
            return {e.name.value(): sorted(e.names[i].value() for i in range(e.n)) for e in at}
        if with_sessions:
            return {e.id.decode(): self._json(e.session) for e in at}
        return sorted(e.id.decode() for e in at)

    def _text(self, at):
        if not at:
            return None
        text = c.string_at(at).decode()
        self.so.gw_free(c.c_void_p(at))
        return text

    def _json(self, session):
        return self._text(self.so.gw_session_json(c.c_void_p(session), None))

    def get_session(self, client_id):
        rc = c.c_int(99)
        session = self.so.gw_get_session(self.handle, client_id.encode(), c.byref(rc))
        text = self._json(session) if session else None
        self.so.gw_session_free(c.c_void_p(session))
        return rc.value, text

    def get_uid_by_client(self, client_id):
        rc = c.c_int(99)
        uid = self._text(self.so.gw_get_uid_by_client(self.handle, client_id.encode(), c.byref(rc)))
        return rc.value, uid

    def are_uids_online(self, uids):
        online = (c.c_bool * len(uids))()
        rc = self.so.gw_are_uids_online(*self._args("n", [uids], None), online)
        return rc, list(online)

    def strerror(self, rc):
        self.so.gw_strerror.restype = c.c_char_p
        return self.so.gw_strerror(rc).decode()
