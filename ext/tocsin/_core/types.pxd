# The words every kernel shares. An instant is int64 milliseconds since 1970-01-01T00:00Z, and seconds where a name ends
# in `_s`; a slot is the index of a row. One value of each says "none".
from libc.stdint cimport int64_t, uint32_t, uint64_t

ctypedef int64_t instant_t
ctypedef uint32_t slot_t

cdef extern from * nogil:
    """
    #include <stdint.h>
    #define TOCSIN_NEVER INT64_MAX
    #define TOCSIN_NOWHERE UINT32_MAX
    /* Instants of the years 1 to 9999; what lies outside is refused at the lid or answered with NEVER. */
    #define TOCSIN_FIRST_MS (-62135596800000LL)
    #define TOCSIN_LAST_MS 253402300799999LL
    #if defined(_MSC_VER)
    #include <intrin.h>
    static inline uint64_t tocsin_product_high(uint64_t a, uint64_t b) { return __umulh(a, b); }
    static inline void tocsin_prefetch(const void *at) { (void)at; }
    static inline int tocsin_lowest(uint64_t bits) { unsigned long at; _BitScanForward64(&at, bits); return (int)at; }
    static inline int tocsin_highest(uint64_t bits) { unsigned long at; _BitScanReverse64(&at, bits); return (int)at; }
    #else
    static inline int tocsin_lowest(uint64_t bits) { return __builtin_ctzll(bits); }
    static inline int tocsin_highest(uint64_t bits) { return 63 - __builtin_clzll(bits); }
    #if defined(__SIZEOF_INT128__)
    __extension__ typedef unsigned __int128 tocsin_uint128_t;
    static inline uint64_t tocsin_product_high(uint64_t a, uint64_t b) {
        return (uint64_t)(((tocsin_uint128_t)a * b) >> 64);
    }
    #else
    static inline uint64_t tocsin_product_high(uint64_t a, uint64_t b) {
        uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
        uint64_t middle = ah * bl + (al * bl >> 32);
        return ah * bh + (middle >> 32) + ((al * bh + (uint32_t)middle) >> 32);
    }
    #endif
    static inline void tocsin_prefetch(const void *at) { __builtin_prefetch(at); }
    #endif
    /* Compilers turn this into one load where the machine is little-endian. */
    static inline uint64_t tocsin_word(const unsigned char *at) {
        return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24
            | (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
    }
    #if defined(__linux__)
    #include <sys/mman.h>
    #endif
    /* Millions of rows lie on thousands of small pages, and most visits would miss in the processor's table of pages.
       Only advice, for the whole large pages inside the block. */
    static inline void tocsin_large_pages(void *block, size_t size) {
    #if defined(__linux__) && defined(MADV_HUGEPAGE)
        const uintptr_t large = (uintptr_t)1 << 21;
        uintptr_t begin = ((uintptr_t)block + large - 1) & ~(large - 1), end = ((uintptr_t)block + size) & ~(large - 1);
        if (end > begin)
            (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
    #else
        (void)block; (void)size;
    #endif
    }
    #if defined(TOCSIN_DEBUG)
    #define TOCSIN_IS_DEBUG 1
    #else
    #define TOCSIN_IS_DEBUG 0
    #endif
    """
    const int64_t NEVER "TOCSIN_NEVER"        # no such instant
    const uint32_t NOWHERE "TOCSIN_NOWHERE"   # no such slot
    const int64_t FIRST_MS "TOCSIN_FIRST_MS"  # 0001-01-01T00:00:00.000Z
    const int64_t LAST_MS "TOCSIN_LAST_MS"    # 9999-12-31T23:59:59.999Z
    int lowest_bit "tocsin_lowest"(uint64_t bits)    # bits must not be 0
    int highest_bit "tocsin_highest"(uint64_t bits)  # bits must not be 0
    uint64_t words_product_high "tocsin_product_high"(uint64_t a, uint64_t b)  # the upper 64 of the 128 bits
    void prefetch "tocsin_prefetch"(const void *at)        # a hint: this will be read soon
    uint64_t word_of "tocsin_word"(const unsigned char *at)  # eight bytes, little-endian
    void large_pages "tocsin_large_pages"(void *block, size_t size)  # advice to the kernel, where there is such
    const bint IS_DEBUG "TOCSIN_IS_DEBUG"      # built with TOCSIN_DEBUG=1 or TOCSIN_SANITIZE=1


cdef inline list list_of(const uint32_t *values, Py_ssize_t n):
    # Not a comprehension: without memory for the list to grow, what Cython makes of one frees an element twice.
    cdef Py_ssize_t i
    cdef list filled = []
    for i in range(n):
        filled.append(values[i])
    return filled


cdef inline int64_t floor_div(int64_t a, int64_t b) noexcept nogil:
    # C truncates towards zero; time before 1970 must round down as time after it does. b > 0.
    cdef int64_t quotient = a / b
    return quotient - 1 if a - quotient * b < 0 else quotient
