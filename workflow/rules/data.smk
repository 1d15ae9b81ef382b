localrules:
    data,


rule data:
    input:
        made_by("data"),


rule fetch:
    input:
        afresh("data"),
        **reads("data"),
    output:
        **writes("data"),
    log:
        f"{LOGS}/data/{{dataset}}.log",
    benchmark:
        f"{RUNTIMES}/data/{{dataset}}.jsonl"
    retries: 1
    conda:
        "../envs/sagan-div.yaml"
    params:
        settings=told("data"),
        study=STUDY.study,
    message:
        "fetch {wildcards.dataset}"
    shell:
        "sagan-div data --study {params.study} --settings {params.settings:q} > {log} 2>&1"
