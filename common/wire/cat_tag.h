// Tags of the toolkit's COMPREHENSION-TLV objects, without the flag [101.220 §7.2]. For cat_*.c
// only.
#pragma once

enum cat_tag {
    TAG_DETAILS = 0x01,
    TAG_DEVICES = 0x02,
    TAG_RESULT = 0x03,
    TAG_DURATION = 0x04,
    TAG_ALPHA = 0x05,
    TAG_ADDRESS = 0x06,
    TAG_TPDU = 0x0B,
    TAG_FILES = 0x12,
    TAG_LOCATION = 0x13,
    TAG_IMEI = 0x14,
    TAG_EVENTS = 0x19,
    TAG_LOCATION_STATUS = 0x1B,
    TAG_TIMER = 0x24,
    TAG_TIMER_VALUE = 0x25,
    TAG_DATE_TIME = 0x26,
    TAG_APPLICATION = 0x2F,
    TAG_TECHNOLOGIES = 0x3F,
    TAG_IMEISV = 0x62,
    TAG_ROUTING_AREA = 0x73,
    TAG_ATTACH_TYPE = 0x74,
    TAG_REJECTION_CAUSE = 0x75,
    TAG_TRACKING_AREA = 0x7D,
};

#define CAT_TEMPLATE_COMMAND 0xD0
