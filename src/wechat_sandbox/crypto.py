"""The encryption of callbacks, from the sender's side (path/90968): AES-256-CBC, PKCS#7 to 32 bytes, SHA-1 signature.

plaintext = 16 random bytes ‖ length of the message (uint32, big-endian) ‖ message ‖ receive id.
"""

import base64
import binascii
import hashlib
import secrets
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK_BYTES = 32
RANDOM_BYTES = 16


class BadEncodingAesKey(ValueError):
    """Not 43 characters that decode to 32 bytes."""


def aes_key(encoding_aes_key: str) -> bytes:
    """The 32 bytes behind an EncodingAESKey. Raises BadEncodingAesKey."""
    try:
        key = base64.b64decode(encoding_aes_key + "=")
    except binascii.Error as error:
        raise BadEncodingAesKey("not base64") from error
    if len(key) != 32:
        raise BadEncodingAesKey(f"{len(key)} bytes instead of 32")
    return key


def encrypt(message: bytes, encoding_aes_key: str, receive_id: str) -> str:
    """The base64 text that stands in <Encrypt> or in echostr."""
    key = aes_key(encoding_aes_key)
    packed = secrets.token_bytes(RANDOM_BYTES) + struct.pack(">I", len(message)) + message + receive_id.encode()
    pad = BLOCK_BYTES - len(packed) % BLOCK_BYTES
    packed += bytes([pad]) * pad
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(packed) + encryptor.finalize()).decode()


def decrypt(encrypted: str, encoding_aes_key: str) -> tuple[bytes, str]:
    """(message, receive id) of an encrypted text; used to check this side against published vectors."""
    key = aes_key(encoding_aes_key)
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    packed = decryptor.update(base64.b64decode(encrypted)) + decryptor.finalize()
    packed = packed[: -packed[-1]]
    (length,) = struct.unpack(">I", packed[RANDOM_BYTES : RANDOM_BYTES + 4])
    start = RANDOM_BYTES + 4
    return packed[start : start + length], packed[start + length :].decode()


def signature(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    """msg_signature: SHA-1, in lowercase hex, of the four texts sorted and joined."""
    joined = "".join(sorted((token, timestamp, nonce, encrypted)))
    return hashlib.sha1(joined.encode(), usedforsecurity=False).hexdigest()
