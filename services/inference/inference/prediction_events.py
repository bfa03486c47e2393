"""The event of a prediction, which is also where its answer comes from: both say the same."""

from __future__ import annotations

from datetime import UTC, datetime

import uuid_utils
from events.prediction import PredictionEvent, ServedPrediction
from nnlib.manifest import Manifest
from servicekit.request_context import RequestContext

from inference.predictor import ImagePrediction


def event_of(
    prediction: ImagePrediction, manifest: Manifest, context: RequestContext, *, total_seconds: float
) -> PredictionEvent:
    """The event of a prediction that is about to be answered."""
    picture = prediction.image.picture
    return PredictionEvent(
        prediction_id=str(uuid_utils.uuid7()),
        time=datetime.now(UTC),
        model_name=manifest.name,
        model_version=manifest.version,
        label=prediction.label,
        cat_probability=prediction.cat_probability,
        certain=prediction.certain,
        decode_seconds=prediction.image.decode_seconds,
        forward_seconds=prediction.forward_seconds,
        total_seconds=total_seconds,
        image_format=picture.format,
        image_width=picture.width,
        image_height=picture.height,
        image_bytes=prediction.image.image_bytes,
        features=prediction.features,
        request_id=context.request_id,
        traceparent=context.traceparent,
    )


def shadow_event_of(repeated: ImagePrediction, manifest: Manifest, served: PredictionEvent) -> PredictionEvent:
    """The event of a shadow's prediction: an id, a time and a model of its own, and what was answered beside it.

    Its total time is the work alone, since it waited for nobody and nobody for it.
    """
    return PredictionEvent(
        prediction_id=str(uuid_utils.uuid7()),
        time=datetime.now(UTC),
        model_name=manifest.name,
        model_version=manifest.version,
        label=repeated.label,
        cat_probability=repeated.cat_probability,
        certain=repeated.certain,
        decode_seconds=served.decode_seconds,
        forward_seconds=repeated.forward_seconds,
        total_seconds=served.decode_seconds + repeated.image.features_seconds + repeated.forward_seconds,
        image_format=served.image_format,
        image_width=served.image_width,
        image_height=served.image_height,
        image_bytes=served.image_bytes,
        features=repeated.features,
        request_id=served.request_id,
        traceparent=served.traceparent,
        shadow_of=ServedPrediction(
            prediction_id=served.prediction_id,
            model_name=served.model_name,
            model_version=served.model_version,
            label=served.label,
            cat_probability=served.cat_probability,
        ),
    )
