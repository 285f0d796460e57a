"""Whether a host could not be read since its certificate is not trusted: asking again will not change that."""

import ssl

ADVICE = "check the address, and that this machine trusts who signed the certificate"


def distrust(error: BaseException) -> str | None:
    """What is wrong with the certificate that made a request fail with `error`; None where it failed by something else.

    Clients wrap the error, each in its own way.
    """
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {one.verify_message}"
        seen.add(id(one))
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return None
