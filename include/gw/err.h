/* Error codes of Gatehouse: 0 or a count is success, -errno or one of these is failure. */
#ifndef GW_ERR_H
#define GW_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

/* Marks what a business module or an outside program may call; all else stays hidden. */
#define GW_API __attribute__((visibility("default")))

enum gw_err {
    GW_ECLOSED = -1000,     /* the connection is closed or closing */
    GW_EFULL = -1001,       /* a queue reached its byte limit; nothing was queued */
    GW_EPROTO = -1002,      /* the peer broke its protocol */
    GW_ETOOBIG = -1003,     /* a message, frame, head or value is over its limit */
    GW_EUTF8 = -1004,       /* text that is not UTF-8 */
    GW_EAUTH = -1005,       /* wrong or missing secret */
    GW_ETIMEOUT = -1006,    /* the deadline passed */
    GW_ENOGATEWAY = -1007,  /* no gateway is known or reachable */
    GW_ENOREGISTRY = -1008, /* no registry answered */
    GW_EBADID = -1009,      /* not a client id: 20 hex digits are needed */
    GW_EBADNAME = -1010,    /* a uid or group must have 1 to 255 bytes */
    GW_ENOTFOUND = -1011,   /* no such client, key or value */
    GW_ECONF = -1012,       /* the configuration is wrong; the message names file, line and key */
    GW_EPARTIAL = -1013,    /* some gateways answered, some did not: see the result */
    GW_ECONTEXT = -1014,    /* the call is not allowed here (for instance: not on a coroutine) */
    GW_EABI = -1015,        /* a module built for another version */
    GW_EREFUSED = -1016,    /* the other side refused the request */
    GW_EAWAY = -1017,       /* the store cannot be reached now; it is tried again */
};

/* A short English text for an error code of ours or a -errno. Never NULL; static storage. */
GW_API const char *gw_strerror(int code);

#ifdef __cplusplus
}
#endif
#endif
