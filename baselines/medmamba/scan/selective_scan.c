/* Selective scan on a CPU, forward and backward, for STATE states per channel (set by -DSTATE=).
 *
 *   h_t = exp(delta_t A) h_{t-1} + delta_t B_t x_t,   y_t = C_t . h_t + D x_t
 *
 * Lanes of a vector are W neighbouring channels; the STATE vectors h stay in registers, so a state
 * never goes through memory in the forward pass. The backward pass recomputes states by chunk.
 * Letters: B batch, L pixels, K directions, E channels, N = STATE. Layouts, all contiguous float32:
 *   x, y, dx, dy (B, L, E)   delta, ddelta (K, B, L, E)   a2 = A log2(e), (K, N, E)
 *   d, bias (K, E)   orders (K, L) int64   b, c: pixel p, direction k at b + batch*sb + p*sp + k*sk
 * Each task owns what it writes, so results do not depend on how tasks are scheduled.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vector.h"

#define CHUNK 64 /* steps whose states the backward pass holds at once: 2 x 64 KiB at W = N = 16 */

typedef struct {
    int64_t B, L, K, E;
    int64_t b_batch, b_pixel, b_direction, c_batch, c_pixel, c_direction; /* strides */
    const float *x, *delta, *a2, *b, *c, *d, *bias;
    const int64_t *orders;
} scan;

/* One direction of one image for the channels [first, first + W): y += C . h + D x. */
static inline void scan_channels(const scan *s, float *y, int64_t image, int64_t k, int64_t first,
                                 int64_t width) {
    const float *x = s->x + image * s->L * s->E + first;
    const float *delta = s->delta + (k * s->B + image) * s->L * s->E + first;
    const float *b = s->b + image * s->b_batch + k * s->b_direction;
    const float *c = s->c + image * s->c_batch + k * s->c_direction;
    const vec d = load(s->d + k * s->E + first, width);
    const vec bias = load(s->bias + k * s->E + first, width);
    vec a2[N], h[N], slope;
    for (int n = 0; n < N; n++) a2[n] = load(s->a2 + (k * N + n) * s->E + first, width);
    for (int n = 0; n < N; n++) h[n] = (vec){0};
    y += image * s->L * s->E + first;
    for (int64_t t = 0; t < s->L; t++) {
        const int64_t pixel = s->orders[k * s->L + t];
        const float *bt = b + pixel * s->b_pixel, *ct = c + pixel * s->c_pixel;
        const vec xt = load(x + pixel * s->E, width);
        const vec step = softplus_vec(load(delta + pixel * s->E, width) + bias, &slope);
        const vec u = step * xt;
        vec sum = d * xt;
        UNROLL for (int n = 0; n < N; n++) {
            h[n] = exp2_vec(step * a2[n]) * h[n] + u * bt[n];
            sum += h[n] * ct[n];
        }
        add_or_set(y + pixel * s->E, sum, width, k == 0);
    }
}

int scan_forward(const scan *s, float *y, int threads) {
    const int64_t blocks = (s->E + W - 1) / W;
#pragma omp parallel num_threads(threads)
    {
        const unsigned before = flush_denormals();
#pragma omp for schedule(static)
        for (int64_t task = 0; task < s->B * blocks; task++) {
            const int64_t image = task / blocks, first = task % blocks * W;
            for (int64_t k = 0; k < s->K; k++) {
                if (s->E - first >= W) scan_channels(s, y, image, k, first, W);
                else scan_channels(s, y, image, k, first, s->E - first);
            }
        }
        restore_denormals(before);
    }
    return 0;
}

/* What one thread of the backward pass works in. */
typedef struct {
    vec decay[CHUNK][N], h[CHUNK + 1][N];      /* of the current chunk and channels */
    vec step[CHUNK], slope[CHUNK];
    vec db[CHUNK][N], dc[CHUNK][N];            /* summed over channels, but for the last W lanes */
    vec rest[];                                /* per channel block: g, dA, dD, dbias, chunk starts */
} workspace;

typedef struct {
    float *dx, *ddelta, *da, *db, *dc, *dd, *dbias;
    int64_t parts, groups; /* a task: one part of the images, one group of channel blocks */
    const float *dy;
} gradients;

/* Run the states through steps [from, to), keeping what the way back needs where `keep`. */
static inline void recompute(const scan *s, workspace *w, vec *h, int64_t image, int64_t k,
                             int64_t first, int64_t width, int64_t from, int64_t to, int keep) {
    const float *x = s->x + image * s->L * s->E + first;
    const float *delta = s->delta + (k * s->B + image) * s->L * s->E + first;
    const float *b = s->b + image * s->b_batch + k * s->b_direction;
    const vec bias = load(s->bias + k * s->E + first, width);
    vec a2[N], state[N];
    for (int n = 0; n < N; n++) a2[n] = load(s->a2 + (k * N + n) * s->E + first, width);
    for (int n = 0; n < N; n++) state[n] = h[n];
    for (int64_t t = from; t < to; t++) {
        const int64_t pixel = s->orders[k * s->L + t], i = t - from;
        const float *bt = b + pixel * s->b_pixel;
        vec slope;
        const vec step = softplus_vec(load(delta + pixel * s->E, width) + bias, &slope);
        const vec u = step * load(x + pixel * s->E, width);
        if (keep) {
            w->step[i] = step;
            w->slope[i] = slope;
        }
        UNROLL for (int n = 0; n < N; n++) {
            const vec decay = exp2_vec(step * a2[n]);
            state[n] = decay * state[n] + u * bt[n];
            if (keep) {
                w->decay[i][n] = decay;
                w->h[i + 1][n] = state[n];
            }
        }
    }
    if (!keep)
        for (int n = 0; n < N; n++) h[n] = state[n];
}

/* Back through steps [from, to) of one block of channels; `carry` holds decay_{t+1} dh_{t+1}. */
static inline void chunk_backward(const scan *s, const gradients *g, workspace *w, vec *carry,
                                  int64_t image, int64_t k, int64_t first, int64_t width,
                                  int64_t from, int64_t to) {
    const int64_t at_image = image * s->L * s->E + first;
    const int64_t at_delta = (k * s->B + image) * s->L * s->E + first;
    const float *b = s->b + image * s->b_batch + k * s->b_direction;
    const float *c = s->c + image * s->c_batch + k * s->c_direction;
    const vec d = load(s->d + k * s->E + first, width);
    vec *da = carry + N, *dd = carry + 2 * N, *dbias = dd + 1;
    vec a2[N], back[N];
    for (int n = 0; n < N; n++) a2[n] = load(s->a2 + (k * N + n) * s->E + first, width);
    for (int n = 0; n < N; n++) back[n] = carry[n];
    for (int64_t t = to - 1; t >= from; t--) {
        const int64_t pixel = s->orders[k * s->L + t], i = t - from;
        const float *bt = b + pixel * s->b_pixel, *ct = c + pixel * s->c_pixel;
        const vec xt = load(s->x + at_image + pixel * s->E, width);
        const vec dy = load(g->dy + at_image + pixel * s->E, width);
        const vec step = w->step[i], u = step * xt;
        vec du = {0}, through_decay = {0};
        UNROLL for (int n = 0; n < N; n++) {
            const vec dh = back[n] + dy * ct[n];
            w->dc[i][n] += dy * w->h[i + 1][n];
            w->db[i][n] += dh * u;
            du += dh * bt[n];
            back[n] = dh * w->decay[i][n];
            const vec q = back[n] * w->h[i][n];
            through_decay += q * a2[n];
            da[n] += q * step;
        }
        const vec ddelta = (through_decay * LN2 + du * xt) * w->slope[i];
        *dd += dy * xt;
        *dbias += ddelta;
        store(g->ddelta + at_delta + pixel * s->E, ddelta, width);
        add_or_set(g->dx + at_image + pixel * s->E, du * step + d * dy, width, k == 0);
    }
    for (int n = 0; n < N; n++) carry[n] = back[n];
}

/* One direction of one image, channel blocks [low, high). A part's first image sets the part's
 * gradients of A, D and bias, the others add to them. */
static void direction_backward(const scan *s, const gradients *g, workspace *w, int64_t image,
                               int64_t k, int64_t part, int first_of_part, int64_t group,
                               int64_t low, int64_t high) {
    const int64_t chunks = (s->L + CHUNK - 1) / CHUNK;
    const int64_t stride = 2 * N + 2 + chunks * N; /* vectors per channel block in w->rest */
    memset(w->rest, 0, (high - low) * stride * sizeof(vec));
    for (int64_t block = low; block < high; block++) {
        vec *start = w->rest + (block - low) * stride + 2 * N + 2;
        const int64_t first = block * W, width = s->E - first;
        for (int64_t chunk = 0; chunk + 1 < chunks; chunk++) {
            memcpy(start + (chunk + 1) * N, start + chunk * N, N * sizeof(vec));
            recompute(s, w, start + (chunk + 1) * N, image, k, first, width, chunk * CHUNK,
                      (chunk + 1) * CHUNK, 0);
        }
    }
    for (int64_t chunk = chunks - 1; chunk >= 0; chunk--) {
        const int64_t from = chunk * CHUNK, to = from + CHUNK < s->L ? from + CHUNK : s->L;
        memset(w->db, 0, sizeof w->db);
        memset(w->dc, 0, sizeof w->dc);
        for (int64_t block = low; block < high; block++) {
            vec *own = w->rest + (block - low) * stride;
            vec *start = own + 2 * N + 2 + chunk * N;
            const int64_t first = block * W, width = s->E - first;
            memcpy(w->h[0], start, N * sizeof(vec));
            recompute(s, w, start, image, k, first, width, from, to, 1);
            chunk_backward(s, g, w, own, image, k, first, width, from, to);
        }
        for (int64_t t = from; t < to; t++) {
            const int64_t pixel = s->orders[k * s->L + t];
            const int64_t at = (((group * s->B + image) * s->L + pixel) * s->K + k) * N;
            sum_lanes(g->db + at, w->db[t - from]);
            sum_lanes(g->dc + at, w->dc[t - from]);
        }
    }
    for (int64_t block = low; block < high; block++) {
        const vec *own = w->rest + (block - low) * stride;
        const int64_t first = block * W, width = s->E - first, at = part * s->K + k;
        for (int n = 0; n < N; n++)
            add_or_set(g->da + (at * N + n) * s->E + first, own[N + n], width, first_of_part);
        add_or_set(g->dd + at * s->E + first, own[2 * N], width, first_of_part);
        add_or_set(g->dbias + at * s->E + first, own[2 * N + 1], width, first_of_part);
    }
}

/* db, dc: (groups, B, L, K, N); da: (parts, K, N, E); dd, dbias: (parts, K, E); the caller
 * sums them over groups and parts.
 * Returns 1 where memory runs out. */
int scan_backward(const scan *s, const gradients *g, int threads) {
    const int64_t blocks = (s->E + W - 1) / W, chunks = (s->L + CHUNK - 1) / CHUNK;
    const int64_t most = (blocks + g->groups - 1) / g->groups;
    size_t bytes = sizeof(workspace) + most * (2 * N + 2 + chunks * N) * sizeof(vec);
    bytes = (bytes + 63) / 64 * 64;
    int failed = 0;
#pragma omp parallel num_threads(threads)
    {
        const unsigned before = flush_denormals();
        workspace *w = aligned_alloc(64, bytes);
        if (!w) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp for schedule(static)
        for (int64_t task = 0; task < g->parts * g->groups; task++) {
            const int64_t part = task / g->groups, group = task % g->groups;
            const int64_t from = part * s->B / g->parts, to = (part + 1) * s->B / g->parts;
            if (w)
                for (int64_t image = from; image < to; image++)
                    for (int64_t k = 0; k < s->K; k++)
                        direction_backward(s, g, w, image, k, part, image == from, group,
                                           group * blocks / g->groups,
                                           (group + 1) * blocks / g->groups);
        }
        free(w);
        restore_denormals(before);
    }
    return failed;
}
