/* Vectors of W float32 lanes, in the compiler's portable extension: load, store, exp2, softplus, sums.
 * N is the number of vectors that sum_lanes() takes, a compile-time constant.
 */
#pragma once
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define W 16
#elif defined(__AVX__)
#define W 8
#else
#define W 4
#endif
#define N STATE
#define LN2 0.6931471805599453f
#define LOG2E 1.4426950408889634f
#define UNROLL _Pragma("GCC unroll 64")

typedef float vec __attribute__((vector_size(4 * W)));
typedef int32_t ivec __attribute__((vector_size(4 * W)));

static inline vec splat(float v) { return v - (vec){0}; }

static inline vec load(const float *p, int64_t width) {
    vec v = {0};
    if (width >= W) memcpy(&v, p, sizeof v);
    else memcpy(&v, p, width * sizeof(float));
    return v;
}

static inline void store(float *p, vec v, int64_t width) {
    if (width >= W) memcpy(p, &v, sizeof v);
    else memcpy(p, &v, width * sizeof(float));
}

static inline void add_or_set(float *p, vec v, int64_t width, int set) {
    store(p, set ? v : v + load(p, width), width);
}

static inline vec select_vec(ivec mask, vec yes, vec no) {
    return (vec)((mask & (ivec)yes) | (~mask & (ivec)no));
}

/* 2^t, relative error 2e-7; a NaN stays one. */
static inline vec exp2_vec(vec t) {
#if defined(__AVX512F__)
    vec whole = (vec)_mm512_roundscale_ps((__m512)t, 0);
#else
    t = select_vec(t < -126.0f, splat(-126.0f), t);
    t = select_vec(t > 127.0f, splat(127.0f), t);
    const float shift = 12582912.0f; /* 1.5 * 2^23: adding it rounds to the nearest integer */
    vec shifted = t + shift, whole = shifted - shift;
#endif
    vec r = t - whole; /* in [-0.5, 0.5] */
    vec p = 1.3333558e-3f * r + 9.6181291e-3f;
    p = p * r + 5.5504109e-2f;
    p = p * r + 2.4022651e-1f;
    p = p * r + 6.9314718e-1f;
    p = p * r + 1.0f;
#if defined(__AVX512F__)
    return (vec)_mm512_scalef_ps((__m512)p, (__m512)whole);
#else
    ivec exponent = (ivec)shifted << 23; /* the low bits of `shifted` hold the integer */
    return (vec)((ivec)p + exponent);
#endif
}

/* softplus(z) and its derivative, the logistic function. */
static inline vec softplus_vec(vec z, vec *slope) {
    ivec negative = z < 0.0f;
    vec e = exp2_vec(select_vec(negative, z, -z) * LOG2E); /* exp(-|z|), in (0, 1] */
    vec s = e / (e + 2.0f), s2 = s * s;                    /* log(1 + e) = 2 artanh(s) */
    vec series = 1.0f / 13.0f + s2 * (1.0f / 15.0f);
    series = series * s2 + 1.0f / 11.0f;
    series = series * s2 + 1.0f / 9.0f;
    series = series * s2 + 1.0f / 7.0f;
    series = series * s2 + 1.0f / 5.0f;
    series = series * s2 + 1.0f / 3.0f;
    series = series * s2 + 1.0f;
    vec small = e / (e + 1.0f);
    *slope = select_vec(negative, small, 1.0f - small);
    return select_vec(negative, splat(0.0f), z) + 2.0f * s * series;
}

/* Tiny states decay through the denormal range, where arithmetic is slow: flush them to zero. */
static inline unsigned flush_denormals(void) {
#if defined(__x86_64__)
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
#else
    return 0;
#endif
}

static inline void restore_denormals(unsigned before) {
#if defined(__x86_64__)
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

/* out[n] = the sum over the lanes of v[n]; destroys v. */
static inline void sum_lanes(float *out, vec *v) {
#if N % W == 0 && defined(__GNUC__) && !defined(__clang__)
    for (int first = 0; first < N; first += W, v += W) {
        /* Each level halves the vectors: lanes with bit `half` set come from the partner. */
        UNROLL for (int half = W / 2; half > 0; half /= 2) {
            ivec own, other;
            UNROLL for (int l = 0; l < W; l++) {
                own[l] = l & half ? W + l : l;
                other[l] = own[l] ^ half;
            }
            UNROLL for (int i = 0; i < half; i++)
                v[i] = __builtin_shuffle(v[i], v[i + half], own) +
                       __builtin_shuffle(v[i], v[i + half], other);
        }
        memcpy(out + first, v, sizeof *v);
    }
#else
    for (int n = 0; n < N; n++) {
        float lane[W], sum = 0.0f;
        memcpy(lane, v + n, sizeof lane);
        for (int l = 0; l < W; l++) sum += lane[l];
        out[n] = sum;
    }
#endif
}
