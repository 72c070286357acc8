/* The version of this build. */
#ifndef PROC_VERSION_H
#define PROC_VERSION_H

#define GATEHOUSE_VERSION "0.1.0"

#endif
