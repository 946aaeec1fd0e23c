"""SipHash-2-4 with 128 bits, written from the paper's description, with Python's unbounded integers."""

MASK = (1 << 64) - 1


def rotate(word: int, bits: int) -> int:
    return (word << bits | word >> 64 - bits) & MASK


def rounds(state: list[int], count: int) -> list[int]:
    a, b, c, d = state
    for _ in range(count):
        a = (a + b) & MASK
        b = rotate(b, 13) ^ a
        a = rotate(a, 32)
        c = (c + d) & MASK
        d = rotate(d, 16) ^ c
        a = (a + d) & MASK
        d = rotate(d, 21) ^ a
        c = (c + b) & MASK
        b = rotate(b, 17) ^ c
        c = rotate(c, 32)
    return [a, b, c, d]


def digest(key: bytes, data: bytes) -> tuple[int, int]:
    k0, k1 = (int.from_bytes(key[i : i + 8], "little") for i in (0, 8))
    a, b, c, d = (int.from_bytes(word, "big") for word in (b"somepseu", b"dorandom", b"lygenera", b"tedbytes"))
    state = [k0 ^ a, k1 ^ b ^ 0xEE, k0 ^ c, k1 ^ d]
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) % 256])
    for i in range(0, len(padded), 8):
        word = int.from_bytes(padded[i : i + 8], "little")
        state[3] ^= word
        state = rounds(state, 2)
        state[0] ^= word
    state[2] ^= 0xEE
    state = rounds(state, 4)
    low = state[0] ^ state[1] ^ state[2] ^ state[3]
    state[1] ^= 0xDD
    state = rounds(state, 4)
    return low, state[0] ^ state[1] ^ state[2] ^ state[3]
