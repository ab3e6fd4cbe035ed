# The student edition in a container. The build needs the base image and the two folders that docs/instructor.md makes,
# and no network. Nobody has run this file yet; the pip commands in it were run.
FROM python:3.11-slim
RUN --mount=type=bind,source=build,target=/build \
    python -m pip install --no-cache-dir --no-index --find-links /build/wheels -r /build/student/requirements.txt && \
    python -m pip install --no-cache-dir --no-index --no-deps --find-links /build/student mesokit && \
    useradd --create-home student && cp -r /build/student /course && chown -R student /course
USER student
WORKDIR /course
EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "--ServerApp.root_dir=/course", "notebooks/00_tour.ipynb"]
