"""``POST /explain``: a prediction and the reasons for it, which cost as much as many, and so have their own limit."""

from __future__ import annotations

import time
from functools import partial

from servicekit.interruption import while_client_waits
from servicekit.request_context import request_context
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inference.deadline import Deadline
from inference.errors import UnknownMethod
from inference.explainer import DEFAULT_METHOD, METHODS, explain
from inference.json_response import json_response
from inference.prediction_answer import prediction_answer
from inference.prediction_service import PredictionService
from inference.request_body import read_body
from inference.served_models import ServedModels
from inference.settings import InferenceSettings
from inference.workers import Workers


class ExplanationRoutes:
    """``explainers`` are threads apart from those that predict, so that predictions never stand behind explanations."""

    def __init__(
        self, settings: InferenceSettings, *, models: ServedModels, explainers: Workers, service: PredictionService
    ) -> None:
        self._settings = settings
        self._models = models
        self._explainers = explainers
        self._service = service

    def routes(self) -> list[Route]:
        return [Route("/explain", self.explain, methods=["POST"])]

    async def explain(self, request: Request) -> Response:
        """``POST /explain?method=METHOD&model=NAME``: the bytes of one image, under any content type.

        The answer holds a prediction, so it has its event like any other; its times are those of the prediction.
        """
        deadline = Deadline.of(request.scope, longest_seconds=self._settings.request_timeout_seconds)
        model = self._models.current.get(request.query_params.get("model"))
        method = request.query_params.get("method") or DEFAULT_METHOD
        if method not in METHODS:
            raise UnknownMethod(METHODS)
        with deadline.enforced(), self._explainers.admit():
            data = await read_body(request.scope, request.receive, max_bytes=self._settings.max_upload_bytes)
            arrived = time.perf_counter()
            with while_client_waits(request.scope):
                prediction = await self._service.predict(model, data, deadline)
                total_seconds = time.perf_counter() - arrived
                pixels = prediction.image.picture.pixels
                explanation = await self._explainers.run(partial(explain, model, pixels, method, deadline=deadline))
        context = request_context(request.scope)
        event = await self._service.answer(model, prediction, context, total_seconds=total_seconds)
        reasons = {"method": method, "heatmap": explanation.heatmap, "heatmap_png": explanation.heatmap_png}
        return json_response(prediction_answer(event) | reasons)
