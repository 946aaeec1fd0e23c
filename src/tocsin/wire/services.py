"""The services of the contract, by full name: what the gRPC server serves and the HTTP bridge transcodes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from google.protobuf.descriptor import ServiceDescriptor

from tocsin.v1 import (
    channel_service_pb2,
    check_in_service_pb2,
    environment_service_pb2,
    group_service_pb2,
    heartbeat_service_pb2,
    incident_service_pb2,
    maintenance_window_service_pb2,
    monitor_service_pb2,
    notice_service_pb2,
    notification_list_service_pb2,
    project_settings_service_pb2,
)

SERVICES: Final[Mapping[str, ServiceDescriptor]] = MappingProxyType(
    {
        service.full_name: service
        for module in (
            monitor_service_pb2,
            check_in_service_pb2,
            heartbeat_service_pb2,
            incident_service_pb2,
            project_settings_service_pb2,
            maintenance_window_service_pb2,
            notification_list_service_pb2,
            channel_service_pb2,
            notice_service_pb2,
            group_service_pb2,
            environment_service_pb2,
        )
        for service in module.DESCRIPTOR.services_by_name.values()
    }
)
