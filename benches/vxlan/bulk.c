/* The work of rust/vxlan/examples/bulk.rs as a plain C loop: same input, same output, same checks. `bench.py` drives both. */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

static inline u16 get16(const u8 *p) { u16 v; memcpy(&v, p, 2); return __builtin_bswap16(v); }
static inline u32 get32(const u8 *p) { u32 v; memcpy(&v, p, 4); return __builtin_bswap32(v); }
static inline u64 get64(const u8 *p) { u64 v; memcpy(&v, p, 8); return __builtin_bswap64(v); }
static inline void put16(u8 *p, u16 v) { v = __builtin_bswap16(v); memcpy(p, &v, 2); }
static inline void put32(u8 *p, u32 v) { v = __builtin_bswap32(v); memcpy(p, &v, 4); }
static inline void put64(u8 *p, u64 v) { v = __builtin_bswap64(v); memcpy(p, &v, 8); }

enum { HEADERS = 50 };

static size_t encode_headers(const u32 *restrict vni, size_t n, u8 *restrict out) {
    u32 all = 0;
    for (size_t i = 0; i < n; i++) {
        all |= vni[i];
        put64(out + 8 * i, (u64)8 << 56 | (u64)vni[i] << 8);
    }
    return all >> 24 ? 0 : n;
}

static size_t decode_headers(const u8 *restrict in, size_t n, u32 *restrict vni, u8 *restrict flags) {
    size_t refused = 0;
    for (size_t i = 0; i < n; i++) {
        const u64 header = get64(in + 8 * i);
        vni[i] = (u32)(header >> 8) & 0xffffff;
        flags[i] = header >> 56;
        refused += (header & (0xf7ffffff000000ffULL | (u64)8 << 56)) != (u64)8 << 56;
    }
    return refused;
}

#define MULTIPLIER 0x9e3779b97f4a7c15ULL
static inline u64 mix(u64 hash, u64 word) {
    hash = (hash ^ word) * MULTIPLIER;
    return hash ^ hash >> 32;
}

/* Inner frames that are Ethernet and IPv4 without options; 0 for any other. */
static inline int flow(const u8 *f, size_t len, u8 *tos, u16 *port) {
    if (len < 34 || get16(f + 12) != 0x0800 || f[14] != 0x45) return 0;
    const size_t total = get16(f + 16);
    if (total < 20) return 0;
    *tos = f[15];
    const u8 protocol = f[23];
    u16 source = 0, destination = 0;
    if ((get16(f + 20) & 0x3fff) == 0 && (protocol == 6 || protocol == 17 || protocol == 132) && total >= 24 && len >= 38) {
        source = get16(f + 34);
        destination = get16(f + 36);
    }
    u64 hash = mix(0, get64(f + 26));
    hash = mix(hash, (u64)destination << 24 | (u64)source << 8 | protocol);
    u32 h = (u32)(hash * MULTIPLIER >> 32);
    h ^= h << 16;
    *port = (u16)(49152 + ((u64)h * (65535 - 49152) >> 32));
    return 1;
}

static size_t encode(const u8 *restrict inner, const u64 *restrict offsets, size_t n, const u32 *restrict vni,
                     const u8 (*restrict to)[16], const u8 *restrict template, u8 *restrict out, size_t room,
                     u64 *restrict out_offsets) {
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const u8 *frame = inner + offsets[i];
        const size_t len = offsets[i + 1] - offsets[i];
        u8 tos;
        u16 port;
        if (offsets[i + 1] < offsets[i] || len + 36 > 65535 || at + HEADERS + len > room || vni[i] >> 24
            || !flow(frame, len, &tos, &port) || get64(to[i]) || get32(to[i] + 8) != 0xffff) return i;
        u8 ecn = tos & 3;
        if (ecn == 3) ecn = 2;
        const u32 destination = get32(to[i] + 12), source = get32(template + 26);
        u8 *p = out + at;
        memcpy(p, template, HEADERS);
        p[15] = ecn;
        put16(p + 16, (u16)(len + 36));
        put16(p + 18, (u16)i);
        const u8 ttl = destination >> 28 == 14 ? 1 : 64;
        p[22] = ttl;
        u32 sum = 0x4500 + ecn + (u16)(len + 36) + (u16)i + (ttl << 8 | 17) + (source >> 16) + (source & 0xffff)
                  + (destination >> 16) + (destination & 0xffff);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        put16(p + 24, (u16)~sum);
        put32(p + 30, destination);
        put16(p + 34, port);
        put16(p + 38, (u16)(len + 16));
        put32(p + 46, vni[i] << 8);
        memcpy(p + HEADERS, frame, len);
        out_offsets[i] = at;
        at += HEADERS + len;
    }
    out_offsets[n] = at;
    return at;
}

struct columns {
    u8 *code, *flags, *protocol;
    u16 *port, *type, *inner_source_port, *inner_destination_port;
    u32 *source, *destination, *vni, *length, *inner_source, *inner_destination;
    u64 *offset;
};

static size_t decode(const u8 *restrict buffer, size_t size, const u64 *restrict offsets, size_t n, const struct columns *columns) {
    const struct columns c = *columns;
    size_t frames = 0;
    for (size_t i = 0; i < n; i++) {
        const u8 *p = buffer + offsets[i];
        const size_t len = offsets[i + 1] - offsets[i];
        if (offsets[i + 1] < offsets[i] || offsets[i + 1] > size || len < 64 || get16(p + 12) != 0x0800 || p[14] != 0x45 || p[23] != 17
            || get16(p + 20) & 0x3fff) goto refused;
        const size_t total = get16(p + 16), udp = get16(p + 38);
        const u16 port = get16(p + 36);
        if (total < 36 || udp < 16 || udp > total - 20 || (port != 4789 && port != 8472)) goto refused;
        const u64 vxlan = get64(p + 42);
        const size_t captured = (udp < len - 34 ? udp : len - 34) - 16;
        if ((vxlan & 0xf7ffffff000000ffULL) || !(vxlan & (u64)8 << 56) || captured < 14) goto refused;
        const u8 *f = p + 50;
        const u16 type = get16(f + 12);
        c.code[i] = 0;
        c.source[i] = get32(p + 26);
        c.destination[i] = get32(p + 30);
        c.port[i] = get16(p + 34);
        c.vni[i] = (u32)(vxlan >> 8) & 0xffffff;
        c.flags[i] = vxlan >> 56;
        c.offset[i] = offsets[i] + 50;
        c.length[i] = (u32)(udp - 16);
        c.type[i] = type;
        u32 source = 0, destination = 0;
        u16 source_port = 0, destination_port = 0;
        u8 protocol = 0;
        if (type == 0x0800) {
            if (captured < 34 || f[14] != 0x45 || get16(f + 16) < 20) goto refused;
            source = get32(f + 26);
            destination = get32(f + 30);
            protocol = f[23];
            if ((get16(f + 20) & 0x1fff) == 0 && (protocol == 6 || protocol == 17 || protocol == 132) && get16(f + 16) >= 24
                && captured >= 38) {
                source_port = get16(f + 34);
                destination_port = get16(f + 36);
            }
        }
        c.inner_source[i] = source;
        c.inner_destination[i] = destination;
        c.protocol[i] = protocol;
        c.inner_source_port[i] = source_port;
        c.inner_destination_port[i] = destination_port;
        frames++;
        continue;
    refused:
        c.code[i] = 1;
        c.source[i] = c.destination[i] = c.vni[i] = c.length[i] = c.inner_source[i] = c.inner_destination[i] = 0;
        c.port[i] = c.type[i] = c.inner_source_port[i] = c.inner_destination_port[i] = 0;
        c.flags[i] = c.protocol[i] = 0;
        c.offset[i] = 0;
    }
    return frames;
}

static void *some(size_t bytes) {
    void *p = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (!p) exit(3);
    memset(p, 0xa5, bytes);
    return p;
}

static u64 digest(u64 hash, const void *data, size_t bytes) {
    const u8 *p = data;
    for (; bytes >= 8; bytes -= 8, p += 8) { u64 w; memcpy(&w, p, 8); hash = (hash ^ w) * MULTIPLIER; hash ^= hash >> 29; }
    while (bytes--) hash = (hash ^ *p++) * MULTIPLIER;
    return hash;
}

static u64 state = 1;
static u32 draw(void) { state = state * 6364136223846793005ULL + 1442695040888963407ULL; return (u32)(state >> 32); }

static const u8 TEMPLATE[HEADERS] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0,
                                     192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0x21, 0x18, 0, 0, 0, 0, 8};

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    const char *what = argv[1];
    const size_t n = strtoul(argv[2], 0, 10), length = strtoul(argv[3], 0, 10);
    const int headers = !strcmp(what, "encode_headers") || !strcmp(what, "decode_headers");
    const size_t packets = headers ? 0 : n, size = packets * (length + HEADERS);
    u32 *vni = some(4 * n);
    u8 *inner = some(packets * length + 1), *out = some(headers ? 8 * n : size + 1);
    u8(*to)[16] = some(16 * packets + 1);
    u64 *offsets = some(8 * packets + 8), *out_offsets = some(8 * packets + 8);
    for (size_t i = 0; i < n; i++) vni[i] = draw() >> 8;
    for (size_t i = 0; i < packets; i++) {
        u8 *f = inner + i * length;
        memset(f, 0x5a, length);
        const u8 start[24] = {2, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 3, 8, 0, 0x45, 0, 0, 0, 0, 0, 0x40, 0, 63, 6};
        memcpy(f, start, 24);
        put16(f + 16, (u16)(length - 14));
        put32(f + 26, draw());
        put32(f + 30, draw());
        put32(f + 34, draw());
        memset(to[i], 0, 10);
        memset(to[i] + 10, 0xff, 2);
        put32(to[i] + 12, 0xc6336400 | (draw() & 0xff));
        offsets[i] = i * length;
    }
    offsets[packets] = packets * length;
    struct columns c;
    memset(&c, 0, sizeof c);
    u8 *flags = some(n);
    u32 *read = some(4 * n);
    if (!strcmp(what, "decode")) {
        encode(inner, offsets, n, vni, (const u8(*)[16])to, TEMPLATE, out, size, out_offsets);
        c = (struct columns){some(n), flags, some(n), some(2 * n), some(2 * n), some(2 * n), some(2 * n), some(4 * n),
                             some(4 * n), read, some(4 * n), some(4 * n), some(4 * n), some(8 * n)};
    }
    if (!strcmp(what, "decode_headers")) encode_headers(vni, n, out);
    if (!strcmp(what, "copy")) memcpy(out, inner, packets * length);
    char line[32];
    int first = 1;
    while (fgets(line, sizeof line, stdin)) {
        const unsigned long times = strtoul(line, 0, 10);
        struct timespec a, b;
        size_t result = 0;
        clock_gettime(CLOCK_MONOTONIC, &a);
        for (unsigned long k = 0; k < times; k++) {
            if (!strcmp(what, "encode_headers")) result = encode_headers(vni, n, out);
            else if (!strcmp(what, "decode_headers")) result = decode_headers(out, n, read, flags);
            else if (!strcmp(what, "encode")) result = encode(inner, offsets, n, vni, (const u8(*)[16])to, TEMPLATE, out, size, out_offsets);
            else if (!strcmp(what, "decode")) result = decode(out, size, out_offsets, n, &c);
            else { memcpy(out, inner, packets * length); __asm__ volatile("" ::: "memory"); }
        }
        clock_gettime(CLOCK_MONOTONIC, &b);
        u64 hash = result;
        if (first && !strcmp(what, "encode_headers")) hash = digest(hash, out, 8 * n);
        if (first && !strcmp(what, "decode_headers")) hash = digest(digest(hash, read, 4 * n), flags, n);
        if (first && !strcmp(what, "encode")) hash = digest(digest(hash, out, size), out_offsets, 8 * n + 8);
        if (first && !strcmp(what, "decode")) {
            hash = digest(hash, c.code, n); hash = digest(hash, c.source, 4 * n); hash = digest(hash, c.destination, 4 * n);
            hash = digest(hash, c.port, 2 * n); hash = digest(hash, c.vni, 4 * n); hash = digest(hash, c.flags, n);
            hash = digest(hash, c.offset, 8 * n); hash = digest(hash, c.length, 4 * n); hash = digest(hash, c.type, 2 * n);
            hash = digest(hash, c.inner_source, 4 * n); hash = digest(hash, c.inner_destination, 4 * n);
            hash = digest(hash, c.protocol, n); hash = digest(hash, c.inner_source_port, 2 * n);
            hash = digest(hash, c.inner_destination_port, 2 * n);
        }
        printf("%.0f %llu\n", (b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec), (unsigned long long)hash);
        fflush(stdout);
        first = 0;
    }
    return 0;
}
