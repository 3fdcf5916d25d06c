"""Signature and encryption of WeCom's callbacks (path/90968): SHA-1 over sorted parts, AES-256-CBC, PKCS#7 to 32."""

import base64
import binascii
import hashlib
import hmac
import secrets
import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from huitouke.wechat.errors import BadCiphertext, BadReceiveId, BadSignature, BadXml, BodyTooLarge, CallbackError
from huitouke.wechat.xml import XML_LIMIT_BYTES, build_xml, parse_xml

__all__ = [
    "BODY_LIMIT_BYTES",
    "BadCiphertext",
    "BadReceiveId",
    "BadSignature",
    "BadXml",
    "BodyTooLarge",
    "CallbackCrypto",
    "CallbackError",
    "signature",
]

BODY_LIMIT_BYTES = XML_LIMIT_BYTES
ENCODING_AES_KEY_CHARACTERS = 43
PADDING_BLOCK_BYTES = 32  # not AES's 16: the pad byte is 1..32
AES_BLOCK_BYTES = 16
NOISE_BYTES = 16
HEADER_BYTES = NOISE_BYTES + 4  # random bytes, then the message's length as a big-endian uint32


def signature(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    """msg_signature: lowercase hex SHA-1 over the four parts, sorted as text and joined (path/90968)."""
    joined = "".join(sorted((token, timestamp, nonce, encrypted)))
    return hashlib.sha1(joined.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()


class CallbackCrypto:
    """Verifies, decrypts and encrypts callbacks of one endpoint.

    `receive_id` is the corp id for a corp's own app, the suite id for suite callbacks, or "" (path/90968).
    Raises ValueError when `encoding_aes_key` is not 43 characters of base64.
    """

    def __init__(self, token: str, encoding_aes_key: str, receive_id: str) -> None:
        self._token = token
        self._receive_id = receive_id.encode()
        key = _aes_key(encoding_aes_key)
        self._cipher = Cipher(AES256(key), CBC(key[:AES_BLOCK_BYTES]))

    def __repr__(self) -> str:
        return f"CallbackCrypto(receive_id={self._receive_id.decode()!r})"

    def verify_url(self, msg_signature: str, timestamp: str, nonce: str, echostr: str) -> str:
        """The text that answers the URL verification (GET), to be returned as it is within 1 s (path/90930).

        `echostr` is already url-decoded. Raises BodyTooLarge, BadSignature, BadCiphertext, BadReceiveId.
        """
        if len(echostr) > BODY_LIMIT_BYTES:
            raise BodyTooLarge(f"{len(echostr)} characters, at most {BODY_LIMIT_BYTES}")
        plain = self._open(msg_signature, timestamp, nonce, echostr)
        try:
            return plain.decode()
        except UnicodeDecodeError:
            raise BadCiphertext("the echo is not UTF-8") from None

    def decrypt(self, msg_signature: str, timestamp: str, nonce: str, body: bytes) -> bytes:
        """The plain XML inside a pushed callback (POST).

        Raises BodyTooLarge, BadXml, BadSignature, BadCiphertext, BadReceiveId.
        """
        encrypted = parse_xml(body, limit_bytes=BODY_LIMIT_BYTES).get("Encrypt")
        if not isinstance(encrypted, str) or not encrypted:
            raise BadXml("no <Encrypt> element")
        return self._open(msg_signature, timestamp, nonce, encrypted)

    def encrypt_reply(self, plain: bytes, timestamp: str, nonce: str) -> bytes:
        """The XML of a passive reply that holds `plain` (an XML message), signed (path/90968)."""
        encrypted = self.encrypt(plain)
        return build_xml(
            {
                "Encrypt": encrypted,
                "MsgSignature": signature(self._token, timestamp, nonce, encrypted),
                "TimeStamp": timestamp,
                "Nonce": nonce,
            }
        )

    def encrypt(self, plain: bytes) -> str:
        """msg_encrypt: base64 of AES over random(16) ‖ length ‖ message ‖ receive id."""
        packed = secrets.token_bytes(NOISE_BYTES) + struct.pack(">I", len(plain)) + plain + self._receive_id
        pad = PADDING_BLOCK_BYTES - len(packed) % PADDING_BLOCK_BYTES
        encryptor = self._cipher.encryptor()
        return base64.b64encode(encryptor.update(packed + bytes([pad]) * pad) + encryptor.finalize()).decode()

    def _open(self, msg_signature: str, timestamp: str, nonce: str, encrypted: str) -> bytes:
        expected = signature(self._token, timestamp, nonce, encrypted)
        if not hmac.compare_digest(expected.encode(), msg_signature.encode(errors="surrogatepass")):
            raise BadSignature
        message, receive_id = _unpack(self._decrypt(encrypted))
        if not hmac.compare_digest(receive_id, self._receive_id):
            raise BadReceiveId
        return message

    def _decrypt(self, encrypted: str) -> bytes:
        try:
            ciphertext = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError):
            raise BadCiphertext("not base64") from None
        if not ciphertext or len(ciphertext) % AES_BLOCK_BYTES:
            raise BadCiphertext("not whole blocks")
        decryptor = self._cipher.decryptor()
        return decryptor.update(ciphertext) + decryptor.finalize()


def _aes_key(encoding_aes_key: str) -> bytes:
    if len(encoding_aes_key) != ENCODING_AES_KEY_CHARACTERS:
        raise ValueError(f"EncodingAESKey has {len(encoding_aes_key)} characters, not {ENCODING_AES_KEY_CHARACTERS}")
    try:
        return base64.b64decode(encoding_aes_key + "=", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("EncodingAESKey holds characters other than letters and digits") from None


def _unpack(padded: bytes) -> tuple[bytes, bytes]:
    """(message, receive id) of a decrypted block; every length is checked before it is used."""
    pad = padded[-1]
    if not 1 <= pad <= PADDING_BLOCK_BYTES or padded[-pad:] != bytes([pad]) * pad:
        raise BadCiphertext("wrong padding")
    packed = padded[:-pad]
    if len(packed) < HEADER_BYTES:
        raise BadCiphertext("too short")
    (length,) = struct.unpack(">I", packed[NOISE_BYTES:HEADER_BYTES])
    end = HEADER_BYTES + length
    if end > len(packed):
        raise BadCiphertext("shorter than it says")
    return packed[HEADER_BYTES:end], packed[end:]
