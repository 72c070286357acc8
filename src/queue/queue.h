/* The queue role: carries out push orders that other applications write into Redis. */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "proc/role.h"

extern const struct role queue_role;

#endif
